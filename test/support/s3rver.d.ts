declare module 's3rver' {
  import type { IncomingMessage, ServerResponse } from 'node:http'

  /** The part that tests use; the package brings no types. */
  class S3rver {
    constructor(options: object)
    configureBuckets(): Promise<void>
    callback(): (request: IncomingMessage, response: ServerResponse) => Promise<void>
  }
  export = S3rver
}
