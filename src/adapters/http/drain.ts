import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { type Socket, Server as TcpServer } from 'node:net'

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
  // By connection, and emptied rather than deleted: a set that gains and loses an entry with each request outgrows its
  // table again and again, and one table that lives long enough to be tenured keeps all that follow from being
  // collected young, with the requests in them. That took a fifth of all CPU time.
  const open = new Map<Socket, ServerResponse | null>()
  let isDraining = false
  server.on('connection', (socket: Socket) => {
    open.set(socket, null)
    socket.once('close', () => open.delete(socket))
  })
  server.on('request', (request, response) => {
    const { socket } = request
    if (isDraining) makeLast(response)
    open.set(socket, response)
    const settle = () => {
      // On a pipelined connection the next one has taken the place.
      if (open.get(socket) === response) open.set(socket, null)
    }
    handle(request, response).then(settle, settle)
  })
  return () => {
    isDraining = true
    for (const response of open.values()) if (response !== null) makeLast(response)
    // The listener alone: an HTTP server's own `close` begins by closing what rests.
    const closed = new Promise<void>((resolve) => TcpServer.prototype.close.call(server, () => resolve()))
    const linger = setTimeout(() => {
      server.closeIdleConnections()
      // To Node a connection that never asked anything is still about to: browsers open some in advance.
      for (const socket of open.keys()) if (socket.bytesRead === 0) socket.destroy()
    }, LINGER_MS)
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
