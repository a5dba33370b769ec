import type { Json, JsonObject } from '#domain/app.ts'
import { objectAt, objectsAt, textAt } from '#domain/json.ts'
import { parseJson } from '../parse-json.ts'
import { type Tool, type ToolDescription, ToolFailure, type ToolNeeds, type ToolOutput } from '../tools/tool.ts'
import { type McpToolEntry, withMcp } from './mcp-session.ts'
import type { McpServer } from './mcp-transport.ts'

type Needs = Pick<ToolNeeds, 'webFetch' | 'timer'>

/** One tool of an MCP server (2025-06-18, Tools). Every use is a session of its own: nothing is kept between runs. */
export function mcpTool(server: McpServer, name: string, needs: Needs): Tool {
  return {
    describe: async (signal) => {
      const entry = await withMcp(server, needs, signal, async ({ list }) =>
        (await list()).find((one) => one.name === name),
      )
      if (entry === undefined) throw new ToolFailure(`the MCP server has no tool ${name}`)
      return describe(entry)
    },
    call: (given, signal) =>
      withMcp(server, needs, signal, async (session) => outputOf(await session.call(name, given))),
  }
}

/** All tools of a server, by name. */
export async function mcpTools(
  server: McpServer,
  needs: Needs,
  signal: AbortSignal,
): Promise<readonly { readonly name: string; readonly description: ToolDescription; readonly tool: Tool }[]> {
  const entries = await withMcp(server, needs, signal, ({ list }) => list())
  return entries.map((entry) => ({
    name: entry.name,
    description: describe(entry),
    tool: mcpTool(server, entry.name, needs),
  }))
}

function describe({ description, inputSchema }: McpToolEntry): ToolDescription {
  return { description, parameters: { type: 'object', properties: {}, ...inputSchema } }
}

/** Pictures and sound have no store to go to; what they are is said in their place. */
function outputOf(result: JsonObject): ToolOutput {
  const texts = objectsAt(result, 'content').map((part) => {
    if (part.type === 'text') return textAt(part, 'text')
    if (part.type === 'resource')
      return textAt(objectAt(part, 'resource'), 'text') || textAt(objectAt(part, 'resource'), 'uri')
    if (part.type === 'resource_link') return textAt(part, 'uri')
    return `[${textAt(part, 'type')} ${textAt(part, 'mimeType')}]`
  })
  const text = texts.join('\n')
  if (result.isError === true) throw new ToolFailure(text.slice(0, 1000) || 'the tool failed')
  const structured = result.structuredContent
  const json: Json | undefined = structured === undefined ? parsedObject(text) : structured
  return { text, json: json === undefined ? [] : Array.isArray(json) ? json : [json], files: [] }
}

function parsedObject(text: string): Json | undefined {
  const value = parseJson(text)
  return typeof value === 'object' && value !== null ? value : undefined
}
