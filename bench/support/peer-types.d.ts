// oidc-provider brings no types; these are of what the benchmark calls.
declare module 'oidc-provider' {
  export class Provider {
    constructor(issuer: string, configuration: object)
    listen(port: number, host: string): import('node:http').Server
  }
}
