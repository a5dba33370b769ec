import { Agent, createServer, get, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { pipeline } from 'node:stream'
import { onLoopback } from './loopback.ts'

/** What stands before replicas: takes turns among those that are well, and passes bytes on as they come. */
export type Balancer = {
  readonly url: string
  /** Goes on with these; each is asked how it is before it gets a request. */
  lead(urls: readonly string[]): void
  /** Resolves when so many of them are well. */
  well(count: number): Promise<void>
  close(): Promise<void>
}

/** What a balancer should ask: a replica that drains says no before it stops listening. */
const READY = '/readyz'
const PROBE_MS = 50

/**
 * A request that nobody took, because nobody listened, goes to the next one. Any other end of it is its sender's to
 * know: sent again, it could be done twice.
 */
export async function openBalancer(): Promise<Balancer> {
  const agent = new Agent({ keepAlive: true })
  let members: readonly string[] = []
  const healthy = new Set<string>()
  let turn = 0

  const probe = (url: string) =>
    new Promise<boolean>((answer) => {
      // On a connection of its own: a replica that drains still hears the old ones.
      const asking = get(url + READY, { agent: false, timeout: 1000 }, (res) => {
        res.resume()
        answer(res.statusCode === 200)
      })
      asking.on('timeout', () => asking.destroy()).on('error', () => answer(false))
    })
  let isClosed = false
  const probing = (async () => {
    while (!isClosed) {
      for (const url of members) {
        const isWell = await probe(url)
        if (isWell && members.includes(url)) healthy.add(url)
        else healthy.delete(url)
      }
      await new Promise((resolve) => setTimeout(resolve, PROBE_MS))
    }
  })()

  function pass(req: IncomingMessage, res: ServerResponse, triesLeft: number): void {
    const open = members.filter((url) => healthy.has(url))
    turn += 1
    const target = open[turn % open.length]
    if (target === undefined) {
      refuse(res)
      return
    }
    const { hostname, port } = new URL(target)
    const { connection: _, ...headers } = req.headers
    const onward = request({ agent, hostname, port, method: req.method, path: req.url, headers }, (answer) => {
      const { connection: __, 'keep-alive': ___, ...given } = answer.headers
      res.writeHead(answer.statusCode ?? 502, given)
      res.flushHeaders()
      pipeline(answer, res, () => {})
    })
    onward.on('error', (error: NodeJS.ErrnoException) => {
      const isUntaken = error.code === 'ECONNREFUSED'
      if (isUntaken) healthy.delete(target)
      if (res.headersSent) res.destroy()
      else if (isUntaken && triesLeft > 0) pass(req, res, triesLeft - 1)
      else refuse(res, error.code)
    })
    // Nothing of a body is read before there is a connection, so it is whole for the next try.
    onward.on('socket', (socket) => {
      if (socket.connecting) socket.once('connect', () => req.pipe(onward))
      else req.pipe(onward)
    })
    // Only where the caller hung up: after its end the connection may serve somebody else.
    res.on('close', () => {
      if (!res.writableFinished) onward.destroy()
    })
  }

  function refuse(res: ServerResponse, why = 'no replica is well'): void {
    res.writeHead(502, { 'Content-Type': 'text/plain' }).end(why)
  }

  const server = createServer((req, res) => pass(req, res, 5))
  const { url, close } = await onLoopback(server)
  return {
    url,
    lead(urls) {
      members = urls
      for (const url of healthy) if (!urls.includes(url)) healthy.delete(url)
    },
    async well(count) {
      while (healthy.size < count) await new Promise((resolve) => setTimeout(resolve, PROBE_MS))
    },
    async close() {
      isClosed = true
      await probing
      agent.destroy()
      await close()
    },
  }
}
