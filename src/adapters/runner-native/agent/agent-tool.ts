import type { Json, JsonObject } from '#domain/app.ts'
import { isObject, objectAt } from '#domain/json.ts'
import { textOf } from '../graph/variable-pool.ts'
import type { ToolOffer } from '../models/model-client.ts'
import { saidJson } from '../models/said-json.ts'
import { parseJson } from '../parse-json.ts'
import { type Tool, type ToolDescription, ToolFailure, type ToolOutput } from '../tools/tool.ts'

/** A tool as an agent's model sees it. */
export type AgentTool = {
  readonly offer: ToolOffer
  readonly label: string
  readonly call: Tool['call']
}

/** What came of a call: what the model is told, and what the tool gave. */
export type Observed = { readonly text: string; readonly output: ToolOutput | null }

const MAX_OBSERVATION = 20_000
const MAX_NAME = 64

/** Offers a tool. What the app's author fixed is neither shown to the model nor its to change. */
export function agentTool(
  words: { readonly name: string; readonly label: string; readonly taken: ReadonlySet<string> },
  { description, parameters }: ToolDescription,
  fixed: JsonObject,
  tool: Pick<Tool, 'call'>,
): AgentTool {
  const isFree = (name: string) => !Object.hasOwn(fixed, name)
  const properties = Object.entries(objectAt(parameters, 'properties')).filter(([name]) => isFree(name))
  const required = Array.isArray(parameters.required) ? parameters.required : []
  const open: JsonObject = {
    ...parameters,
    type: 'object',
    properties: Object.fromEntries(properties),
    required: required.filter((name: Json) => typeof name === 'string' && isFree(name)),
  }
  return {
    offer: { name: freeName(words.name, words.taken), description: description.slice(0, 1000), parameters: open },
    label: words.label,
    call: (given, signal) => tool.call({ ...given, ...fixed }, signal),
  }
}

/** Calls a tool as the model wished. Whatever goes wrong is told to the model, which may know better next time. */
export async function observe(
  tools: readonly AgentTool[],
  name: string,
  given: string,
  signal: AbortSignal,
): Promise<Observed> {
  const tool = tools.find(({ offer }) => offer.name === name)
  if (tool === undefined) {
    const names = tools.map(({ offer }) => offer.name).join(', ')
    return { text: `There is no tool of this name. The tools are: ${names}.`, output: null }
  }
  const parameters = given.trim() === '' ? {} : (parseJson(given) ?? saidJson(given))
  if (!isObject(parameters)) return { text: 'The parameters must be one JSON object.', output: null }
  try {
    const output = await tool.call(parameters, signal)
    return { text: shortened(output.text || textOf(output.named ?? [...output.json])), output }
  } catch (error) {
    if (!(error instanceof ToolFailure)) throw error
    return { text: `The tool failed: ${shortened(error.message)}`, output: null }
  }
}

function shortened(text: string): string {
  return text.length <= MAX_OBSERVATION ? text : `${text.slice(0, MAX_OBSERVATION)} … (shortened)`
}

/** Models accept letters, digits, `_` and `-`; two tools of one name could not be told apart. */
function freeName(name: string, taken: ReadonlySet<string>): string {
  const base = name.replaceAll(/[^A-Za-z0-9_-]/g, '_').slice(0, MAX_NAME - 4) || 'tool'
  let free = base
  for (let count = 2; taken.has(free); count++) free = `${base}_${count}`
  return free
}
