import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { exportJWK, generateKeyPair, type JWTHeaderParameters, type JWTPayload, SignJWT } from 'jose'
import { onLoopback } from './loopback.ts'

export const CLIENT = { clientId: 'latchkey', clientSecret: 'a-client-secret:&+%' }

type Json = Readonly<Record<string, unknown>>
type Answer = { readonly status?: number; readonly type?: string; readonly body: unknown }
type SigningPair = Awaited<ReturnType<typeof aKey>>

/** What an authorization request asked for; a code of it proves that the same client comes back. */
type Asked = { readonly nonce: string; readonly challenge: string; readonly redirectUri: string }

/** Makes one key pair; slow enough to be made once a suite. */
export async function aKey(kid: string, alg = 'RS256') {
  const { publicKey, privateKey } = await generateKeyPair(alg)
  return { kid, alg, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } }
}

export type OidcDouble = Awaited<ReturnType<typeof openOidcDouble>>

/**
 * An OpenID provider on loopback that does as it is told: whoever comes is signed in at once, and every answer can be
 * bent. It checks what it is sent as a good provider would: PKCE, client secret, redirect URI, one use of a code.
 */
export async function openOidcDouble(key: SigningPair) {
  const asked: string[] = []
  const codes = new Map<string, Asked>()
  const server = createServer((request, response) => void serve(request, response))
  const { url: issuer, close } = await onLoopback(server)
  const told = {
    key,
    published: [key.jwk] as readonly Json[],
    metadata: {} as Json,
    /** Beside or instead of the usual claims; `undefined` leaves one out. */
    claims: {} as Json,
    header: {} as Partial<JWTHeaderParameters>,
    userinfo: {} as Json,
    /** Answers in place of the usual ones, by path. */
    answers: {} as Readonly<Record<string, Answer | 'hang' | 'hang up'>>,
  }

  async function sign(claims: JWTPayload, header: Partial<JWTHeaderParameters> = {}, by: SigningPair = told.key) {
    const { kid, alg, privateKey } = by
    return new SignJWT(claims).setProtectedHeader({ alg, kid, ...header }).sign(privateKey)
  }

  function idToken(nonce: string): Promise<string> {
    const nowS = Math.floor(Date.now() / 1000)
    const usual = {
      iss: issuer,
      sub: 'person-1',
      aud: CLIENT.clientId,
      nonce,
      iat: nowS,
      exp: nowS + 300,
      email: 'Eve@Company.example',
      email_verified: true,
    }
    return sign(JSON.parse(JSON.stringify({ ...usual, ...told.claims })), told.header)
  }

  async function exchange(request: IncomingMessage): Promise<Answer> {
    const form = new URLSearchParams(await textOf(request))
    const code = codes.get(form.get('code') ?? '')
    codes.delete(form.get('code') ?? '')
    if (!provesItself(request, form)) return { status: 401, body: { error: 'invalid_client' } }
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url')
    if (code?.challenge !== challenge || code.redirectUri !== form.get('redirect_uri')) {
      return { status: 400, body: { error: 'invalid_grant' } }
    }
    const tokens = { access_token: 'at-1', token_type: 'Bearer', expires_in: 300 }
    return { body: { ...tokens, id_token: await idToken(code.nonce) } }
  }

  async function usual(request: IncomingMessage, path: string): Promise<Answer> {
    switch (path) {
      case '/.well-known/openid-configuration':
        return {
          body: {
            issuer,
            authorization_endpoint: `${issuer}/authorize`,
            token_endpoint: `${issuer}/token`,
            jwks_uri: `${issuer}/keys`,
            userinfo_endpoint: `${issuer}/userinfo`,
            ...told.metadata,
          },
        }
      case '/keys':
        return { body: { keys: told.published } }
      case '/token':
        return exchange(request)
      case '/userinfo':
        return request.headers.authorization === 'Bearer at-1'
          ? { body: { sub: 'person-1', ...told.userinfo } }
          : { status: 401, body: {} }
      default:
        return { status: 404, body: {} }
    }
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? ''
    asked.push(path)
    const answer = told.answers[path] ?? (await usual(request, path))
    if (answer === 'hang') return
    if (answer === 'hang up') return void response.destroy()
    response.writeHead(answer.status ?? 200, { 'Content-Type': answer.type ?? 'application/json' })
    response.end(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body))
  }

  return {
    issuer,
    told,
    sign,
    /** How often `path` was asked for. */
    count: (path: string) => asked.filter((one) => one === path).length,
    /** Signs somebody in at the page that `url` is, as a browser would, and gives what the provider sends it back with. */
    signIn(url: string): URLSearchParams {
      const query = new URL(url).searchParams
      const code = `code-${codes.size}-${Math.random()}`
      codes.set(code, {
        nonce: query.get('nonce') ?? '',
        challenge: query.get('code_challenge') ?? '',
        redirectUri: query.get('redirect_uri') ?? '',
      })
      return new URLSearchParams({ code, state: query.get('state') ?? '' })
    },
    close,
  }
}

/** RFC 6749 §2.3.1: the header holds both form-encoded. */
function provesItself(request: IncomingMessage, form: URLSearchParams): boolean {
  const { authorization } = request.headers
  if (authorization === undefined) {
    return form.get('client_id') === CLIENT.clientId && form.get('client_secret') === CLIENT.clientSecret
  }
  const [id, secret] = Buffer.from(authorization.replace('Basic ', ''), 'base64').toString().split(':')
  const decode = (text = '') => new URLSearchParams(`v=${text}`).get('v')
  return decode(id) === CLIENT.clientId && decode(secret) === CLIENT.clientSecret
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) text += chunk
  return text
}
