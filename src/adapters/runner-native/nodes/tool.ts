import type { Json, JsonObject } from '#domain/app.ts'
import { objectAt } from '#domain/json.ts'
import { lackOf } from '../agent/open-tools.ts'
import type { VariablePool } from '../graph/variable-pool.ts'
import { openTool } from '../tools/open-tool.ts'
import { settingValue } from '../tools/setting-value.ts'
import { ToolFailure } from '../tools/tool.ts'
import { toolWords } from '../tools/tool-words.ts'
import { type NodeExecutor, NodeFailure } from './node-executor.ts'

/** Calls the tool that the workspace bound, or our own. */
export const tool: NodeExecutor = {
  run: async ({ node: { data }, pool, services, signal }) => {
    const words = toolWords(data)
    const opened = openTool(words, services.bindings, services)
    if (opened === null) throw new NodeFailure('ToolNodeError', lackOf(words).reason)
    const inputs = parametersOf(data, pool)
    try {
      const { text, json, files, named = {}, usage } = await opened.call(inputs, signal)
      return { inputs, outputs: { ...named, text, json, files }, ...(usage === undefined ? {} : { usage }) }
    } catch (error) {
      if (!(error instanceof ToolFailure)) throw error
      throw new NodeFailure('ToolNodeError', error.message, { inputs }, { cause: error })
    }
  },
  check: ({ data }, services) => {
    const words = toolWords(data)
    if (openTool(words, services.bindings, services) !== null) return null
    const { reason, fix } = lackOf(words)
    return { kind: 'node', reason, fix }
  },
}

/** What is left empty was not given. */
function parametersOf(data: JsonObject, pool: VariablePool): JsonObject {
  const set = Object.entries({ ...objectAt(data, 'tool_configurations'), ...objectAt(data, 'tool_parameters') })
  const values = set.map(([name, raw]): [string, Json] => [name, settingValue(raw, pool)])
  return Object.fromEntries(values.filter(([, value]) => value !== null && value !== ''))
}
