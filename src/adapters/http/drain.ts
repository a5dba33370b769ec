import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { Server as TcpServer } from 'node:net'

type Handle = (request: IncomingMessage, response: ServerResponse) => Promise<unknown>

/** Longer than a request can be on its way to a connection that looks idle from here. */
const LINGER_MS = 500

/**
 * Lets `handle` answer `server`, and returns how to stop that without losing a request: from then on nobody can connect,
 * every answer tells its client to connect elsewhere (RFC 9112 §9.6), and a connection that rests is heard a moment
 * longer. Closed at once, it would be reset under a request that its client has just sent, and who cannot know whether
 * a request was heard cannot send it again. Resolves when the last connection is closed.
 */
export function serveUntilDrained(server: Server, handle: Handle): () => Promise<void> {
  const open = new Set<ServerResponse>()
  let isDraining = false
  server.on('request', (request, response) => {
    if (isDraining) makeLast(response)
    open.add(response)
    void handle(request, response).finally(() => open.delete(response))
  })
  return () => {
    isDraining = true
    for (const response of open) makeLast(response)
    // The listener alone: an HTTP server's own `close` begins by closing what rests.
    const closed = new Promise<void>((resolve) => TcpServer.prototype.close.call(server, () => resolve()))
    const linger = setTimeout(() => server.closeIdleConnections(), LINGER_MS)
    return closed.finally(() => clearTimeout(linger))
  }
}

/** The connection ends with this answer; one whose head has left cannot be told so. */
function makeLast(response: ServerResponse): void {
  if (!response.headersSent) {
    response.setHeader('Connection', 'close')
    return
  }
  const { socket } = response
  response.once('finish', () => socket?.end())
}
