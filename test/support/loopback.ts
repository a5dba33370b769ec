import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Loopback = {
  readonly port: number
  readonly url: string
  /** Cuts the connections that are left. */
  close(): Promise<void>
}

/** Lets `server` listen on a free port of this machine alone. */
export async function onLoopback(
  server: Pick<Server, 'listen' | 'address' | 'close' | 'closeAllConnections'>,
): Promise<Loopback> {
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const { port } = server.address() as AddressInfo // a TCP listener's address is never a path
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}
