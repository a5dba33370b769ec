import type { FormAction, FormField } from '#domain/human-form.ts'
import { numberAt, objectAt, objectsAt, textAt, textsAt } from '#domain/json.ts'
import { fillTemplate, partsOf, resolve, selectorText, textOf, type VariablePool } from '../graph/variable-pool.ts'
import { type NodeExecutor, NodeFailure } from './node-executor.ts'

const HOUR_MS = 3_600_000
const UNITS: Readonly<Record<string, number>> = { minute: 60_000, hour: HOUR_MS, day: 24 * HOUR_MS }
const DEFAULT_MS = 3 * 24 * HOUR_MS
const MAX_MS = 30 * 24 * HOUR_MS
const MAX_FIELDS = 50

/** Asks a person: the run waits for the answer, and goes on by the action that was chosen. */
export const humanInput: NodeExecutor = {
  run: async ({ node: { data }, pool, job, services }) => {
    if (job.pausing === undefined)
      throw new NodeFailure('HumanInputError', 'nobody can be asked from within another app')
    const actions = objectsAt(data, 'user_actions').map(
      (action): FormAction => ({
        id: textAt(action, 'id'),
        title: fillTemplate(pool, textAt(action, 'title')),
        buttonStyle: textAt(action, 'button_style') || 'default',
      }),
    )
    if (actions.length === 0) throw new NodeFailure('HumanInputError', 'the form has no action to send it with')
    const content = contentOf(pool, textAt(data, 'form_content'))
    const asks = { content, fields: fieldsOf(data, pool), actions, expiresAtMs: services.now() + waitOf(data) }
    return { inputs: {}, outputs: {}, asks }
  },
}

/** Placeholders of the form's own fields stay: their values are not there yet. */
function contentOf(pool: VariablePool, template: string): string {
  return partsOf(template)
    .map((part) => {
      if (part.kind === 'text') return part.text
      return part.selector[0] === '$output' ? `{{#${part.selector.join('.')}#}}` : selectorText(pool, part.selector)
    })
    .join('')
}

function fieldsOf(data: Parameters<typeof objectsAt>[0], pool: VariablePool): readonly FormField[] {
  return objectsAt(data, 'inputs')
    .filter((input) => textAt(input, 'output_variable_name') !== '')
    .slice(0, MAX_FIELDS)
    .map((input) => {
      const preset = objectAt(input, 'default')
      const isVariable = textAt(preset, 'type') === 'variable'
      const value = isVariable ? textOf(resolve(pool, textsAt(preset, 'selector'))) : textAt(preset, 'value')
      return { name: textAt(input, 'output_variable_name'), type: textAt(input, 'type') || 'paragraph', default: value }
    })
}

function waitOf(data: Parameters<typeof objectsAt>[0]): number {
  const [count, unit] = [numberAt(data, 'timeout') ?? 0, UNITS[textAt(data, 'timeout_unit')] ?? HOUR_MS]
  return count > 0 ? Math.min(count * unit, MAX_MS) : DEFAULT_MS
}
