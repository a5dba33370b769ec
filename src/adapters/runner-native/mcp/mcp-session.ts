import type { Timer } from '#application/ports/clock.ts'
import type { JsonObject } from '#domain/app.ts'
import { objectAt, objectsAt, textAt } from '#domain/json.ts'
import { ToolFailure } from '../tools/tool.ts'
import type { McpServer, McpTransport } from './mcp-transport.ts'
import { openOlderSse } from './older-sse.ts'
import { OlderTransport, openStreamableHttp } from './streamable-http.ts'

/** A tool as its server lists it. */
export type McpToolEntry = { readonly name: string; readonly description: string; readonly inputSchema: JsonObject }

/** A conversation with an MCP server. */
export type McpSession = {
  readonly list: () => Promise<readonly McpToolEntry[]>
  /** The result of `tools/call`, as it comes. */
  readonly call: (name: string, parameters: JsonObject) => Promise<JsonObject>
}

const PROTOCOL = '2025-06-18'
const TOTAL_MS = 60_000
const MAX_PAGES = 20
const MAX_TOOLS = 500

/**
 * Opens a session for `work` and closes it; all of it takes a minute at most.
 * @throws ToolFailure
 */
export async function withMcp<R>(
  server: McpServer,
  { webFetch, timer }: { readonly webFetch: typeof fetch; readonly timer: Timer },
  signal: AbortSignal,
  work: (session: McpSession) => Promise<R>,
): Promise<R> {
  if (!URL.canParse(server.url)) throw new ToolFailure('the address of the MCP server is no URL')
  const deadline = new AbortController()
  const cancel = timer(TOTAL_MS, () => deadline.abort())
  const either = AbortSignal.any([signal, deadline.signal])
  let transport: McpTransport | null = null
  try {
    transport = await greeted(server, webFetch, either)
    return await work(sessionOver(transport))
  } catch (error) {
    if (deadline.signal.aborted && !signal.aborted)
      throw new ToolFailure('the MCP server took too long', { cause: error })
    throw error
  } finally {
    // What was asked for is there, or has failed: a session that cannot be closed changes nothing.
    await transport?.close().catch((error: unknown) => {
      if (!(error instanceof ToolFailure)) throw error
    })
    cancel()
  }
}

async function greeted(server: McpServer, webFetch: typeof fetch, signal: AbortSignal): Promise<McpTransport> {
  try {
    return await greet(openStreamableHttp(server, PROTOCOL, webFetch, signal))
  } catch (error) {
    if (!(error instanceof OlderTransport)) throw error
    return greet(await openOlderSse(server, webFetch, signal))
  }
}

async function greet(transport: McpTransport): Promise<McpTransport> {
  const params = { protocolVersion: PROTOCOL, capabilities: {}, clientInfo: { name: 'latchkey', version: '1' } }
  resultOf(await transport.send({ jsonrpc: '2.0', id: 0, method: 'initialize', params }))
  await transport.send({ jsonrpc: '2.0', method: 'notifications/initialized' })
  return transport
}

function sessionOver(transport: McpTransport): McpSession {
  let id = 0
  const ask = async (method: string, params: JsonObject) => {
    id += 1
    return resultOf(await transport.send({ jsonrpc: '2.0', id, method, params }))
  }
  return {
    async list() {
      const tools: McpToolEntry[] = []
      let cursor = ''
      for (let page = 0; page < MAX_PAGES; page++) {
        const result = await ask('tools/list', cursor === '' ? {} : { cursor })
        for (const entry of objectsAt(result, 'tools')) {
          const [name, description] = [textAt(entry, 'name'), textAt(entry, 'description')]
          if (name !== '') tools.push({ name, description, inputSchema: objectAt(entry, 'inputSchema') })
        }
        cursor = textAt(result, 'nextCursor')
        if (cursor === '' || tools.length >= MAX_TOOLS) break
      }
      return tools.slice(0, MAX_TOOLS)
    },
    call: (name, parameters) => ask('tools/call', { name, arguments: parameters }),
  }
}

function resultOf(answer: JsonObject | null): JsonObject {
  if (answer !== null && !('error' in answer)) return objectAt(answer, 'result')
  const said = textAt(objectAt(answer ?? {}, 'error'), 'message').slice(0, 300)
  throw new ToolFailure(`the MCP server refused${said === '' ? '' : `: ${said}`}`)
}
