import { ToolFailure } from '../tools/tool.ts'
import { answerIn, headersFor, type McpServer, type McpTransport, reach } from './mcp-transport.ts'

/** How a server says that it speaks the older transport, when the first message comes (MCP, Backwards compatibility). */
const OLDER = [400, 404, 405]

/** Thrown when the server does not know this transport. */
export class OlderTransport extends Error {
  override readonly name = 'OlderTransport'
}

/** MCP's Streamable HTTP transport: every message is a POST, its answer JSON or a stream. */
export function openStreamableHttp(
  server: McpServer,
  protocol: string,
  webFetch: typeof fetch,
  signal: AbortSignal,
): McpTransport {
  let session: string | null = null
  let isFirst = true
  const headers = () => ({
    ...headersFor(server),
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    ...(isFirst ? {} : { 'mcp-protocol-version': protocol }),
    ...(session === null ? {} : { 'mcp-session-id': session }),
  })
  return {
    async send(message) {
      const init = { method: 'POST', headers: headers(), body: JSON.stringify(message), signal }
      const response = await reach(webFetch, server.url, init)
      if (!response.ok) {
        await response.body?.cancel()
        if (isFirst && OLDER.includes(response.status)) throw new OlderTransport()
        throw new ToolFailure(`the MCP server answered with status ${response.status}`)
      }
      isFirst = false
      session ??= sessionIn(response.headers)
      if ('id' in message) return answerIn(response, message.id ?? null)
      await response.body?.cancel()
      return null
    },
    async close() {
      if (session === null || signal.aborted) return
      // A server may refuse to end sessions; it then forgets them by itself.
      const response = await reach(webFetch, server.url, { method: 'DELETE', headers: headers(), signal })
      await response.body?.cancel()
    },
  }
}

/** Visible ASCII, as the protocol demands: anything else would not fit a header. */
function sessionIn(headers: Headers): string | null {
  const id = headers.get('mcp-session-id')
  return id !== null && /^[\x21-\x7e]{1,1000}$/.test(id) ? id : null
}
