import type { Bindings, ToolBinding } from '#application/ports/bindings.ts'
import type { JsonObject } from '#domain/app.ts'
import { isObject } from '#domain/json.ts'
import { textOf } from '../graph/variable-pool.ts'
import { mcpTool } from '../mcp/mcp-tool.ts'
import { nativeTool } from './native-tools.ts'
import { openApiTool } from './openapi-tool.ts'
import { type Tool, ToolFailure, type ToolNeeds, textOutput } from './tool.ts'
import type { ToolWords } from './tool-words.ts'

/** The tool that an app file names, as the workspace bound it, else our own; null when it is neither. */
export function openTool(words: ToolWords, bindings: Bindings, needs: ToolNeeds): Tool | null {
  const { provider, providerId, name } = words
  const binding = bindings.tool(provider, name) ?? bindings.tool(providerId, name)
  if (binding !== null) return boundTool(words, binding, needs)
  return nativeTool(words, needs)
}

function boundTool(words: ToolWords, binding: ToolBinding, needs: ToolNeeds): Tool {
  const { description, parameters } = words
  switch (binding.via) {
    case 'openapi':
      return openApiTool({ ...binding, operationId: binding.operationId ?? words.name }, needs.egress)
    case 'mcp':
      return mcpTool({ url: binding.url, key: binding.key, headers: {} }, binding.tool ?? words.name, needs)
    case 'app':
      return {
        describe: () => needs.apps.describe(binding.appId),
        call: (given, signal) => needs.apps.run(binding.appId, given, signal),
      }
    case 'js':
      return {
        describe: async () => ({ description, parameters }),
        call: (given, signal) => runScript(binding.code, given, needs, signal),
      }
  }
}

async function runScript(code: string, given: JsonObject, { code: runner }: ToolNeeds, signal: AbortSignal) {
  const ran = await runner.runJavaScript(code, given, signal)
  if (!ran.ok) throw new ToolFailure(ran.error)
  if (!isObject(ran.value)) return textOutput(textOf(ran.value), Array.isArray(ran.value) ? ran.value : [])
  return { ...textOutput(textOf(ran.value.text ?? ran.value), [ran.value]), named: ran.value }
}
