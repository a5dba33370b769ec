declare module 's3rver' {
  /** The part that tests use; the package brings no types. */
  class S3rver {
    constructor(options: object)
    run(): Promise<{ readonly port: number }>
    close(): Promise<void>
  }
  export = S3rver
}
