import type { Bindings } from '#application/ports/bindings.ts'
import type { Json, JsonObject } from '#domain/app.ts'
import { isObject, objectAt, textAt } from '#domain/json.ts'
import { howToBind } from '../how-to-bind.ts'
import { openTool } from '../tools/open-tool.ts'
import { type Tool, type ToolDescription, ToolFailure, type ToolNeeds } from '../tools/tool.ts'
import { type ToolWords, toolWords } from '../tools/tool-words.ts'
import { type AgentTool, agentTool } from './agent-tool.ts'

/** A tool that could not be opened: nothing stands for it here. */
export type Unbound = { readonly title: string; readonly reason: string; readonly fix: string }

/** Fills in what an author wrote as a parameter. */
export type Fill = (raw: Json | undefined) => Json

/** What keeps the switched-on tools of a list from being used, known before the run. */
export function unboundTools(entries: readonly JsonObject[], bindings: Bindings, needs: ToolNeeds): readonly Unbound[] {
  return switchedOn(entries)
    .map(toolWords)
    .filter((words) => openTool(words, bindings, needs) === null)
    .map(lackOf)
}

/** What to say about a tool that is not bound. */
export function lackOf({ provider, name, label }: ToolWords): Unbound {
  return {
    title: label || name,
    reason: `the tool ${name || '?'} of ${provider || '?'} is not bound`,
    fix: `Bind it: ${howToBind({ kind: 'tool', provider, name })}`,
  }
}

/**
 * The switched-on tools of a list, ready to be offered. One that cannot describe itself is offered as its file does.
 * @throws ToolFailure for one that is not bound
 */
export async function openTools(
  entries: readonly JsonObject[],
  bindings: Bindings,
  needs: ToolNeeds,
  fill: Fill,
  signal: AbortSignal,
): Promise<readonly AgentTool[]> {
  const opened = await Promise.all(
    switchedOn(entries).map(async (entry) => {
      const words = toolWords(entry)
      const tool = openTool(words, bindings, needs)
      if (tool === null) throw new ToolFailure(lackOf(words).reason)
      return { words, tool, description: await describe(tool, words, signal), fixed: fixedIn(entry, fill) }
    }),
  )
  const taken = new Set<string>()
  return opened.map(({ words, tool, description, fixed }) => {
    const offered = agentTool({ name: words.name, label: words.label, taken }, description, fixed, tool)
    taken.add(offered.offer.name)
    return offered
  })
}

/** Tools that are switched on. The oldest exports wrap each: `{google_search: {enabled: true}}`. */
export function switchedOn(entries: readonly JsonObject[]): readonly JsonObject[] {
  return entries.flatMap((entry): readonly JsonObject[] => {
    if ('tool_name' in entry) return entry.enabled === false ? [] : [entry]
    return Object.entries(entry).flatMap(([name, settings]) =>
      isObject(settings) && settings.enabled === true && name !== 'dataset' ? [formerly(name)] : [],
    )
  })
}

/** The one tool of the oldest exports that is ours under another name. */
function formerly(name: string): JsonObject {
  if (name === 'current_datetime') return { provider_name: 'time', tool_name: 'current_time' }
  return { provider_name: name, tool_name: name }
}

async function describe(tool: Tool, words: ToolWords, signal: AbortSignal): Promise<ToolDescription> {
  try {
    const own = await tool.describe(signal)
    return { ...own, description: own.description || words.description }
  } catch (error) {
    if (!(error instanceof ToolFailure)) throw error
    return { description: words.description, parameters: words.parameters }
  }
}

/** What the author set; what is left empty, or marked `auto`, is the model's to fill in. */
function fixedIn(entry: JsonObject, fill: Fill): JsonObject {
  const given = {
    ...objectAt(entry, 'tool_parameters'),
    ...objectAt(entry, 'settings'),
    ...objectAt(entry, 'parameters'),
  }
  const set = Object.entries(given).flatMap(([name, raw]): [string, Json][] => {
    if (isObject(raw) && (raw.auto === 1 || raw.auto === true)) return []
    const value = fill(raw)
    return value === null || value === '' || (isObject(raw) && textAt(raw, 'auto') === '1') ? [] : [[name, value]]
  })
  return Object.fromEntries(set)
}
