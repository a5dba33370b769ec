import { Environment, Interpreter, parse, tokenize } from '@huggingface/jinja'
import type { JsonObject } from '#domain/app.ts'

const MAX_RANGE = 100_000

/** Statements that print nothing, whatever they evaluate to. */
const SILENT = new Set(['Set', 'Macro', 'Comment', 'Break', 'Continue'])
/** Statements whose value is text that was already worded. */
const BLOCKS = new Set(['If', 'For', 'CallStatement', 'FilterStatement'])

type Statement = { readonly type: string }
type Value = { readonly type: string; value: unknown; toString(): string }
type Scope = { set(name: string, value: unknown): unknown }
type Engine = {
  run(program: unknown): Value
  evaluate(statement: Statement, scope: Scope): Value
  evaluateBlock(statements: readonly Statement[], scope: Scope): Value
}

// The package's own types do not resolve under `nodenext`: its declarations import without extensions.
const BaseInterpreter = Interpreter as unknown as new (scope: Scope) => Engine
const NewScope = Environment as unknown as new (parent?: Scope) => Scope

/** Words values as Python does, since that is what authors of Jinja templates see elsewhere. */
class PythonInterpreter extends BaseInterpreter {
  override evaluateBlock(statements: readonly Statement[], scope: Scope): Value {
    let text = ''
    for (const statement of statements) {
      const value = this.evaluate(statement, scope)
      if (SILENT.has(statement.type)) continue
      text += BLOCKS.has(statement.type) ? String(value.value ?? '') : written(value)
    }
    const result = super.evaluateBlock([], scope)
    result.value = text
    return result
  }
}

/**
 * Renders a Jinja template. The engine interprets: it has no way to JavaScript, but a template can still run for
 * ever, so this belongs into a process that can be killed.
 */
export function renderTemplate(template: string, variables: JsonObject): string {
  const globals = new NewScope()
  globals.set('range', range)
  for (const [name, value] of [
    ['true', true],
    ['True', true],
    ['false', false],
    ['False', false],
  ] as const) {
    globals.set(name, value)
  }
  globals.set('none', null)
  globals.set('None', null)
  // A scope of its own, so that a variable may be called `range`.
  const scope = new NewScope(globals)
  for (const [name, value] of Object.entries(variables)) scope.set(name, value)
  return String(new PythonInterpreter(scope).run(parse(tokenize(template))).value ?? '')
}

function range(first: number, last?: number, step = 1): readonly number[] {
  const [from, to] = last === undefined ? [0, first] : [first, last]
  const by = typeof step === 'number' ? step : 1
  const count = by === 0 ? 0 : Math.max(0, Math.ceil((to - from) / by))
  if (count > MAX_RANGE) throw new Error(`range is longer than ${MAX_RANGE}`)
  return Array.from({ length: count }, (_, at) => from + at * by)
}

function written(value: Value): string {
  if (value.type === 'UndefinedValue') return ''
  return value.type === 'StringValue' ? String(value.value) : literal(value)
}

/** A value as Python's `repr` has it. */
function literal(value: Value): string {
  switch (value.type) {
    case 'NullValue':
      return 'None'
    case 'BooleanValue':
      return value.value === true ? 'True' : 'False'
    case 'StringValue':
      return quoted(String(value.value))
    case 'ArrayValue':
    case 'TupleValue':
      return `[${[...(value.value as Iterable<Value>)].map(literal).join(', ')}]` // the type name says what it holds
    case 'ObjectValue': {
      const entries = [...(value.value as Map<string, Value>)] // the type name says what it holds
      return `{${entries.map(([key, item]) => `${quoted(key)}: ${literal(item)}`).join(', ')}}`
    }
    default:
      return value.toString()
  }
}

function quoted(text: string): string {
  const mark = text.includes("'") && !text.includes('"') ? '"' : "'"
  const escaped = text.replaceAll('\\', '\\\\').replaceAll(mark, `\\${mark}`)
  return mark + escaped.replaceAll('\n', '\\n').replaceAll('\r', '\\r').replaceAll('\t', '\\t') + mark
}
