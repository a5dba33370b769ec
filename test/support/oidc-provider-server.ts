import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Provider } from 'oidc-provider'

/**
 * A process of its own: an OpenID provider with a page to sign in at, where any password goes. Whoever signs in is
 * known by what was typed; the part before the `@` says what the provider thinks of the email.
 */
const { REDIRECT_URI = '', LOGOUT_URI = '', CLIENT_ID = '', CLIENT_SECRET = '' } = process.env

const server = createServer()
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo // a TCP listener's address is never a path
  const issuer = `http://127.0.0.1:${port}`
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: CLIENT_ID,
        client_secret: CLIENT_SECRET,
        redirect_uris: [REDIRECT_URI],
        grant_types: ['authorization_code'],
        response_types: ['code'],
        backchannel_logout_uri: LOGOUT_URI,
      },
    ],
    claims: { openid: ['sub'], email: ['email', 'email_verified', 'groups'], profile: [] },
    features: { backchannelLogout: { enabled: true } },
    // Its guard against requests to inner networks would keep notices from a server on loopback.
    fetch: (url: string, { dispatcher: _guard, ...options }: RequestInit & { dispatcher?: unknown }) =>
      fetch(url, options),
    pkce: { required: () => true },
    findAccount: (_ctx, typed) => ({ accountId: typed, claims: async () => ({ sub: typed, ...claimsOf(typed) }) }),
  })
  provider.on('backchannel.error', (_ctx, error) => process.stderr.write(`${error.stack}\n`))
  server.on('request', provider.callback())
  process.stdout.write(`serves at ${issuer}\n`)
})

function claimsOf(typed: string): Record<string, unknown> {
  if (!typed.includes('@')) return {}
  const [name] = typed.split('@')
  const groups = name === 'megabyte' ? ['x'.repeat(1024 * 1024)] : ['staff']
  return { email: typed, email_verified: name !== 'unverified', groups }
}
