import type { Json } from '#domain/app.ts'
import { isList, textAt } from '#domain/json.ts'
import { textOf } from '../graph/variable-pool.ts'
import { parseJson } from '../parse-json.ts'
import { queryJson } from './json-path.ts'
import { type NativeTool, ToolFailure, textOutput } from './tool.ts'

/** The tools that apps know as `json_process`. */
export const jsonTools: Readonly<Record<string, NativeTool>> = {
  parse: {
    description: 'Finds values in JSON.',
    parameters: {
      type: 'object',
      properties: {
        content: { type: 'string', description: 'The JSON.' },
        json_filter: { type: 'string', description: 'A JSONPath of names, indexes, * and .., such as $.items[*].id' },
      },
      required: ['content', 'json_filter'],
    },
    call: () => async (given) => {
      const { content = null } = given
      const value = typeof content === 'string' ? parseJson(content) : content
      if (value === undefined || value === '') throw new ToolFailure('content must be JSON')
      const found = queryJson(value, textAt(given, 'json_filter'))
      if (found === null) throw new ToolFailure('json_filter must be a JSONPath of names, indexes, * and ..')
      const [only = null] = found
      const result: Json = found.length === 1 ? only : found
      return textOutput(textOf(result), isList(result) ? result : [result])
    },
  },
}
