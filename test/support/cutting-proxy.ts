import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A TCP proxy before a real server, to take that server away without stopping it for others. */
export type CuttingProxy = {
  readonly port: number
  /** Swallows what clients send from now on: a server that accepts and says nothing. */
  silence(): void
  /** Drops every connection and refuses new ones. */
  cut(): Promise<void>
  /** Listens again, on the same port. */
  mend(): Promise<void>
}

/** Passes bytes on to `target` until told otherwise. */
export async function openCuttingProxy(target: string): Promise<CuttingProxy> {
  const { hostname, port: farPort } = new URL(target)
  const sockets = new Set<Socket>()
  let isSilent = false
  const server = createServer((near) => {
    const far = connect(Number(farPort), hostname)
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', () => {}).on('close', () => sockets.delete(socket))
    }
    near.on('data', (bytes) => isSilent || far.write(bytes))
    far.on('data', (bytes) => near.write(bytes))
    near.on('close', () => far.destroy())
    far.on('close', () => near.destroy())
  })
  async function listen(at: number): Promise<number> {
    server.listen(at, '127.0.0.1')
    await once(server, 'listening')
    return (server.address() as AddressInfo).port // a TCP server's address is never a path
  }
  const port = await listen(0)
  return {
    port,
    silence: () => {
      isSilent = true
    },
    async cut() {
      const closed = new Promise((resolve) => server.close(resolve))
      for (const socket of sockets) socket.destroy()
      await closed
    },
    async mend() {
      isSilent = false
      await listen(port)
    },
  }
}
