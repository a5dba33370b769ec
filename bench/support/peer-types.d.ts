// oidc-provider brings no types; these are of what the benchmark and the tests call.
declare module 'oidc-provider' {
  type Configuration = {
    readonly findAccount?: (ctx: unknown, accountId: string) => object
    readonly [setting: string]: unknown
  }

  export class Provider {
    constructor(issuer: string, configuration: Configuration)
    callback(): import('node:http').RequestListener
    on(event: string, listener: (ctx: unknown, error: Error) => void): this
    listen(port: number, host: string): import('node:http').Server
  }
}
