import type { Json, JsonObject } from '#domain/app.ts'
import { isObject, objectAt, textAt } from '#domain/json.ts'
import { mcpTools } from '../mcp/mcp-tool.ts'
import type { McpServer } from '../mcp/mcp-transport.ts'
import { parseJson } from '../parse-json.ts'
import type { ToolNeeds } from '../tools/tool.ts'
import { type AgentTool, agentTool } from './agent-tool.ts'

const MAX_SERVERS = 10
const MAX_TOOLS = 50
/** What frames a message, or belongs to the session, is ours to say. */
const OURS = /^(host|connection|content-.*|transfer-encoding|accept|mcp-.*|expect|upgrade|te|trailer)$/i

/**
 * The MCP servers that an agent's own settings name, as several strategies have them: an address, or JSON of
 * `{name: {url, headers}}`, with or without `mcpServers` around it.
 */
export function mcpServersIn(settings: JsonObject, fill: (text: string) => string): readonly McpServer[] {
  return Object.entries(settings)
    .filter(([name]) => /mcp|^servers_config$/i.test(name))
    .flatMap(([, raw]) => serversOf(isObject(raw) && 'value' in raw ? (raw.value ?? null) : raw, fill))
    .slice(0, MAX_SERVERS)
}

/** The tools of servers, named apart from those that are there already. */
export async function openMcpTools(
  servers: readonly McpServer[],
  needs: ToolNeeds,
  others: readonly AgentTool[],
  signal: AbortSignal,
): Promise<readonly AgentTool[]> {
  const taken = new Set(others.map(({ offer }) => offer.name))
  const lists = await Promise.all(servers.map((server) => mcpTools(server, needs, signal)))
  return lists
    .flat()
    .slice(0, MAX_TOOLS)
    .map(({ name, description, tool }) => {
      const offered = agentTool({ name, label: name, taken }, description, {}, tool)
      taken.add(offered.offer.name)
      return offered
    })
}

function serversOf(value: Json, fill: (text: string) => string): readonly McpServer[] {
  if (typeof value === 'string') {
    const text = fill(value).trim()
    if (/^https?:\/\//i.test(text)) return [{ url: text, key: null, headers: {} }]
    const said = parseJson(text)
    return said === undefined || typeof said === 'string' ? [] : serversOf(said, fill)
  }
  if (!isObject(value)) return []
  const servers = isObject(value.mcpServers) ? value.mcpServers : value
  return Object.values(servers)
    .filter((one) => isObject(one))
    .filter((one) => /^https?:\/\//i.test(textAt(one, 'url')))
    .map((one) => ({ url: textAt(one, 'url'), key: null, headers: headersIn(objectAt(one, 'headers')) }))
}

function headersIn(given: JsonObject): Readonly<Record<string, string>> {
  const usable = Object.entries(given).flatMap(([name, value]): [string, string][] =>
    typeof value === 'string' && /^[A-Za-z0-9-]{1,100}$/.test(name) && !OURS.test(name) && /^[\x20-\x7e]*$/.test(value)
      ? [[name.toLowerCase(), value]]
      : [],
  )
  return Object.fromEntries(usable)
}
