import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import { onLoopback } from './loopback.ts'

/** The routes of the inner API, and what a service in order answers there. */
export const IN_ORDER = {
  'GET /info': { License: { status: 'active' }, WebAppAuth: { enabled: true } },
  'POST /device-flow/sso-initiate': { url: 'https://idp.example/sign-on?x=1' },
  'GET /webapp/access-mode/id': { accessMode: 'private' },
  'GET /webapp/permission': { result: true },
  'POST /webapp/externally-accessible-apps': { data: [], total: 0, hasMore: false },
} as const
export type InnerRoute = keyof typeof IN_ORDER

/** Answers one request, well or badly; `good` is what would be in order. */
export type Deed = (response: ServerResponse, good: object) => void

export type HeardByService = {
  readonly route: string
  readonly query: Readonly<Record<string, string>>
  readonly headers: IncomingHttpHeaders
  readonly body: unknown
}

/** Answers as it should, with another body. */
export const says =
  (body: unknown): Deed =>
  (response) =>
    void response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(body))

/** Sends `text` as it is. */
const saysText =
  (text: string, headers = { 'Content-Type': 'application/json' }): Deed =>
  (response) =>
    void response.writeHead(200, headers).end(text)

const fails =
  (status: number): Deed =>
  (response, good) =>
    void response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(good))

/** How a service can let its callers down whatever they ask. Where one `hangs`, nothing comes until time moves on. */
export const MISDEEDS: Readonly<Record<string, Deed>> = {
  'answers 400': fails(400),
  'answers 401': fails(401),
  'answers 403': fails(403),
  'answers 404': fails(404),
  'answers 429': fails(429),
  'answers 500': fails(500),
  'answers 503': fails(503),
  // Whoever follows finds an answer in order.
  'redirects to another place': (response) => void response.writeHead(307, { Location: '/elsewhere' }).end(),
  'hangs before its head': () => {},
  'hangs in the middle': (response, good) =>
    void response.writeHead(200, { 'Content-Type': 'application/json' }).write(JSON.stringify(good).slice(0, 5)),
  'closes the socket': (response) => void response.destroy(),
  'breaks off in the middle': (response, good) => {
    response.writeHead(200, { 'Content-Length': '4000' }).write(JSON.stringify(good))
    setImmediate(() => response.destroy())
  },
  'sends a page': saysText('<html>Welcome</html>'),
  'sends half of its JSON': (response, good) => saysText(JSON.stringify(good).slice(0, -1))(response, good),
  'sends nothing': saysText(''),
  'sends null': says(null),
  'sends a list': says([]),
  'sends a text': says('active'),
  'sends 1 MB, and says so': (response, good) => says({ ...good, padding: 'x'.repeat(1 << 20) })(response, good),
  'sends 1 MB in pieces': (response, good) => {
    response.writeHead(200, { 'Content-Type': 'application/json' })
    response.write(`{"padding":"${'x'.repeat(1 << 20)}",`)
    response.end(JSON.stringify(good).slice(1))
  },
  'speaks no HTTP': (response) => void response.socket?.end('SSH-2.0-OpenSSH_9.6\r\n'),
}

export type EnterpriseService = Awaited<ReturnType<typeof openEnterpriseService>>

/** A remote Enterprise service on loopback, in order until a test says otherwise. */
export async function openEnterpriseService() {
  const deeds = new Map<string, Deed>()
  const heard: HeardByService[] = []
  const waiters = new Map<string, () => void>()
  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://double')
    let text = ''
    for await (const chunk of request) text += chunk
    const route = `${request.method} ${pathname.replace(/^\/inner\/api/, '')}`
    const body = text === '' ? null : JSON.parse(text)
    heard.push({ route, query: Object.fromEntries(searchParams), headers: request.headers, body })
    const everyAnswer = Object.assign({}, ...Object.values(IN_ORDER))
    const good = Object.entries(IN_ORDER).find(([name]) => name === route)?.[1]
    const deed = deeds.get(route) ?? (pathname === '/elsewhere' ? says(everyAnswer) : says(good))
    deed(response, good ?? {})
    waiters.get(route)?.()
  })
  const { url, close } = await onLoopback(server)
  return {
    apiUrl: `${url}/inner/api`,
    secretKey: 'the-secret-that-both-know',
    heard: heard as readonly HeardByService[],
    heardOn: (route: InnerRoute) => heard.filter((one) => one.route === route),
    on: (route: InnerRoute, deed: Deed) => void deeds.set(route, deed),
    /** Resolves when `route` is asked the next time. */
    asked: (route: InnerRoute) => new Promise<void>((resolve) => void waiters.set(route, resolve)),
    close,
  }
}
