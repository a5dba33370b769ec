import { parseJson } from '../parse-json.ts'
import { ToolFailure } from '../tools/tool.ts'
import { answerTo, eventsOf, headersFor, type McpServer, type McpTransport, reach } from './mcp-transport.ts'

/** MCP's HTTP+SSE transport of 2024-11-05: one stream brings every answer, and first the address for messages. */
export async function openOlderSse(
  server: McpServer,
  webFetch: typeof fetch,
  signal: AbortSignal,
): Promise<McpTransport> {
  const leave = new AbortController()
  const either = AbortSignal.any([signal, leave.signal])
  const headers = { ...headersFor(server), accept: 'text/event-stream' }
  const response = await reach(webFetch, server.url, { headers, signal: either })
  if (!response.ok) {
    await response.body?.cancel()
    throw new ToolFailure(`the MCP server answered with status ${response.status}`)
  }
  const events = eventsOf(response)
  const target = await addressIn(events, server.url)
  return {
    async send(message) {
      const init = { method: 'POST', headers: { ...headersFor(server), 'content-type': 'application/json' } }
      const sent = await reach(webFetch, target, { ...init, body: JSON.stringify(message), signal: either })
      await sent.body?.cancel()
      if (!sent.ok) throw new ToolFailure(`the MCP server answered with status ${sent.status}`)
      if (!('id' in message)) return null
      for (;;) {
        const next = await events.next()
        if (next.done === true) throw new ToolFailure('the MCP server did not answer')
        const found = answerTo(parseJson(next.value.data), message.id ?? null)
        if (found !== null) return found
      }
    },
    async close() {
      leave.abort()
    },
  }
}

async function addressIn(events: ReturnType<typeof eventsOf>, url: string): Promise<string> {
  for (;;) {
    const next = await events.next()
    if (next.done === true) throw new ToolFailure('the MCP server named no address for messages')
    if (next.value.event !== 'endpoint') continue
    const target = URL.canParse(next.value.data, url) ? new URL(next.value.data, url) : null
    // The key is for the server that was bound: it must not be talked into sending it elsewhere.
    if (target?.origin !== new URL(url).origin)
      throw new ToolFailure('the MCP server names another server for messages')
    return target.href
  }
}
