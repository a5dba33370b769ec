import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** Stands between Latchkey and a store and counts what Latchkey sends, so that nobody else's traffic is counted. */
export type CountingProxy = {
  readonly url: string
  /** Writes that arrived from Latchkey so far; for one caller at a time each is one round trip. */
  sent(): number
  close(): void
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'redis:': 6379, 'postgres:': 5432, 'postgresql:': 5432 }

export async function countingProxy(target: string): Promise<CountingProxy> {
  const { hostname, port, protocol } = new URL(target)
  const sockets = new Set<Socket>()
  let sent = 0
  const server = createServer((client) => {
    const store = connect(Number(port) || DEFAULT_PORTS[protocol] || 0, hostname)
    for (const socket of [client, store]) {
      sockets.add(socket)
      socket.setNoDelay(true)
      // A store that hangs up shows in the client, which is what is looked at.
      socket.on('error', () => socket.destroy())
    }
    client.on('data', (chunk) => {
      sent++
      store.write(chunk)
    })
    store.pipe(client)
    client.on('close', () => store.destroy())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port')
  const url = new URL(target)
  url.hostname = '127.0.0.1'
  url.port = String(address.port)
  return {
    url: url.href,
    sent: () => sent,
    close() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}
