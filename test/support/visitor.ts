import { expectNothingHandedOut, noteExchange, noteSecret } from './handed-out.ts'
import type { Browser, Login, Reply, Send } from './world.ts'

export type Visitor = ReturnType<typeof visitorOf>

/** What terminals and browsers do at a server, over HTTP; `owner` is who signs in when nobody else is named. */
export function visitorOf(url: string, owner: { readonly email: string; readonly password: string }) {
  async function send(method: string, path: string, { token, headers, json, form, body }: Send = {}): Promise<Reply> {
    const payload =
      json === undefined ? (form === undefined ? body : new URLSearchParams(form).toString()) : JSON.stringify(json)
    const type =
      json === undefined ? (form === undefined ? null : 'application/x-www-form-urlencoded') : 'application/json'
    const response = await fetch(url + path, {
      method,
      redirect: 'manual',
      headers: {
        ...(type === null ? {} : { 'Content-Type': type }),
        ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
        ...headers,
      },
      ...(payload === undefined ? {} : { body: payload }),
    })
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.includes('json') === true
    const reply = { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : null }
    noteExchange([json, form], reply)
    noteSecret('bearer', token)
    // A page that says no shows the person what they typed, in a form of their own.
    if (isJson && response.status >= 400) expectNothingHandedOut('the body of a refusal', text)
    return reply
  }

  async function signIn(email = owner.email, password = owner.password): Promise<Browser> {
    const reply = await send('POST', '/console/api/login', { json: { email, password } })
    if (reply.status !== 200) throw new Error(`sign-in answered ${reply.status}: ${reply.text}`)
    const pairs = reply.headers.getSetCookie().map((line) => line.split(';')[0] ?? '')
    const cookie = pairs.join('; ')
    const csrf = pairs.find((pair) => pair.includes('csrf_token='))?.split('=')[1] ?? ''
    return { cookie, csrf, headers: { Cookie: cookie, 'X-CSRF-Token': csrf } }
  }

  async function startFlow(label = 'laptop', clientId = 'difyctl') {
    const reply = await send('POST', '/openapi/v1/oauth/device/code', {
      json: { client_id: clientId, device_label: label },
    })
    return { deviceCode: String(reply.json.device_code), userCode: String(reply.json.user_code) }
  }

  /** The whole device flow: a terminal asks, `browser` approves, the terminal picks up. */
  async function login(how: { label?: string; clientId?: string; browser?: Browser } = {}): Promise<Login> {
    const { label = 'laptop', clientId = 'difyctl' } = how
    const { deviceCode, userCode } = await startFlow(label, clientId)
    const { headers } = how.browser ?? (await signIn())
    const approved = await send('POST', '/openapi/v1/oauth/device/approve', { json: { user_code: userCode }, headers })
    if (approved.status !== 200) throw new Error(`approve answered ${approved.status}: ${approved.text}`)
    const polled = await send('POST', '/openapi/v1/oauth/device/token', {
      json: { device_code: deviceCode, client_id: clientId },
    })
    return { token: polled.json.token, tokenId: polled.json.token_id, deviceCode, userCode }
  }

  /** The id of the app that a file makes, imported by who is signed in at `browser`. */
  async function importApp(browser: Pick<Browser, 'headers'>, source: string): Promise<string> {
    const json = { mode: 'yaml-content', yaml_content: source }
    const imported = await send('POST', '/console/api/apps/imports', { json, headers: browser.headers })
    if (imported.status !== 200) throw new Error(`the import answered ${imported.status}: ${imported.text}`)
    return imported.json.app_id
  }

  return {
    send,
    get: (path: string, how?: Send) => send('GET', path, how),
    post: (path: string, how?: Send) => send('POST', path, how),
    delete: (path: string, how?: Send) => send('DELETE', path, how),
    signIn,
    startFlow,
    login,
    importApp,
  }
}
