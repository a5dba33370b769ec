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
  /**
   * Keeps back what the server says on any connection from the moment a client has sent `text` there. The server has
   * done its work by then; its client does not know yet.
   */
  hold(text: string): Held
}

export type Held = {
  /** Resolves when the first answer is being kept back. */
  readonly caught: Promise<void>
  /** Passes on everything that was kept back, and holds no more. */
  release(): void
}

type Hold = { readonly text: string; readonly catch: () => void; readonly kept: (() => void)[] }

/** Passes bytes on to `target` until told otherwise. */
export async function openCuttingProxy(target: string): Promise<CuttingProxy> {
  const { hostname, port: farPort } = new URL(target)
  const sockets = new Set<Socket>()
  let isSilent = false
  let hold: Hold | null = null
  const server = createServer((near) => {
    const far = connect(Number(farPort), hostname)
    let heldBy: Hold | null = null
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', () => {}).on('close', () => sockets.delete(socket))
    }
    near.on('data', (bytes) => {
      if (isSilent) return
      if (hold !== null && bytes.includes(hold.text)) heldBy = hold
      far.write(bytes)
    })
    far.on('data', (bytes) => {
      if (heldBy === null || heldBy !== hold) return near.write(bytes)
      heldBy.kept.push(() => near.write(bytes))
      heldBy.catch()
    })
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
    hold(text) {
      const { promise: caught, resolve } = Promise.withResolvers<void>()
      const own: Hold = { text, catch: resolve, kept: [] }
      hold = own
      return {
        caught,
        release() {
          hold = null
          for (const pass of own.kept.splice(0)) pass()
        },
      }
    },
  }
}
