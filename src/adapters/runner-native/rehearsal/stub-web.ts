import type { JsonObject } from '#domain/app.ts'
import { isObject, objectAt, textAt } from '#domain/json.ts'
import { parseJson } from '../parse-json.ts'
import type { Script } from './script.ts'

const TOOL = {
  name: 'look_up',
  description: 'Looks something up.',
  inputSchema: { type: 'object', properties: { query: { type: 'string' } }, required: ['query'] },
}

/** An MCP server with one tool, at every address; whatever is no message to it is refused. */
export function createStubWeb({ words }: Script): typeof fetch {
  return async (_input, init) => {
    const message = typeof init?.body === 'string' ? parseJson(init.body) : undefined
    if (!isObject(message) || message.jsonrpc !== '2.0') return new Response(null, { status: 405 })
    if (!('id' in message)) return new Response(null, { status: 202 })
    return Response.json({ jsonrpc: '2.0', id: message.id, result: resultOf(message, words) })
  }
}

function resultOf(message: JsonObject, words: string): JsonObject {
  switch (message.method) {
    case 'initialize': {
      const protocolVersion = textAt(objectAt(message, 'params'), 'protocolVersion')
      return { protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'stub', version: '1' } }
    }
    case 'tools/list':
      return { tools: [TOOL] }
    default:
      return { content: [{ type: 'text', text: words }] }
  }
}
