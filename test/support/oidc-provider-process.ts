import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { CHILD_ENV } from './child-env.ts'
import { CLIENT } from './oidc-double.ts'

const SERVER = join(import.meta.dirname, 'oidc-provider-server.ts')
const START_MS = 30_000

export type OidcProviderProcess = { readonly issuer: string; close(): Promise<void> }

/** Starts a real OpenID provider for the server at `origin`. */
export async function openOidcProvider(origin: string): Promise<OidcProviderProcess> {
  const device = `${origin}/openapi/v1/oauth/device`
  const child = spawn(process.execPath, [SERVER], {
    env: {
      ...CHILD_ENV,
      REDIRECT_URI: `${device}/sso-callback`,
      LOGOUT_URI: `${device}/backchannel-logout`,
      CLIENT_ID: CLIENT.clientId,
      CLIENT_SECRET: CLIENT.clientSecret,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let complaints = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints += text
  })
  const killAtExit = () => child.kill('SIGKILL')
  process.once('exit', killAtExit)
  const ended = once(child, 'close').finally(() => process.off('exit', killAtExit))
  const close = async () => {
    child.kill('SIGKILL')
    await ended
  }
  const issuer = await new Promise<string>((resolve, reject) => {
    const tooLong = setTimeout(() => reject(new Error(`the provider does not serve: ${complaints}`)), START_MS)
    createInterface(child.stdout).on('line', (line) => {
      const [, url] = /^serves at (\S+)$/.exec(line) ?? []
      if (url === undefined) return
      clearTimeout(tooLong)
      resolve(url)
    })
    void ended.then(() => {
      clearTimeout(tooLong)
      reject(new Error(`the provider ended: ${complaints}`))
    })
  })
  return { issuer, close }
}
