import { isObject, textAt } from '#domain/json.ts'
import { textOf } from '../graph/variable-pool.ts'
import { type NativeTool, ToolFailure, textOutput } from './tool.ts'

/** The tool that apps know as `code`: runs in the sandbox, as a code node does. */
export const codeTools: Readonly<Record<string, NativeTool>> = {
  simple_code: {
    description: 'Runs a function main without parameters and gives what it returns.',
    parameters: {
      type: 'object',
      properties: { language: { type: 'string', enum: ['javascript'] }, code: { type: 'string' } },
      required: ['code'],
    },
    call:
      ({ code }) =>
      async (given, signal) => {
        if (textAt(given, 'language').startsWith('python')) throw new ToolFailure('only JavaScript can be run here')
        const ran = await code.runJavaScript(textAt(given, 'code'), {}, signal)
        if (!ran.ok) throw new ToolFailure(ran.error)
        return textOutput(textOf(ran.value), isObject(ran.value) ? [ran.value] : [])
      },
  },
}
