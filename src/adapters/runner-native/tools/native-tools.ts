import { providerKey } from '#domain/binding.ts'
import { codeTools } from './code-tools.ts'
import { jsonTools } from './json-tools.ts'
import { timeTools } from './time-tools.ts'
import type { NativeTool, Tool, ToolNeeds } from './tool.ts'
import type { ToolWords } from './tool-words.ts'
import { webTools } from './web-tools.ts'

/** By provider, then by name. */
const PROVIDERS: Readonly<Record<string, Readonly<Record<string, NativeTool>>>> = {
  time: timeTools,
  json_process: jsonTools,
  webscraper: webTools,
  code: codeTools,
}

/** Our own stand-in for a tool that most installations have; null when there is none. */
export function nativeTool({ provider, name }: ToolWords, needs: ToolNeeds): Tool | null {
  const key = providerKey(provider)
  const tools = Object.hasOwn(PROVIDERS, key) ? PROVIDERS[key] : undefined
  const tool = tools !== undefined && Object.hasOwn(tools, name) ? tools[name] : undefined
  if (tool === undefined) return null
  const { description, parameters } = tool
  return { describe: async () => ({ description, parameters }), call: tool.call(needs) }
}
