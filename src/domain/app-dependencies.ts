import type { AppDefinition, Json, JsonObject } from './app.ts'
import type { PreflightIssue } from './errors.ts'
import { isObject, objectAt, objectsAt, textAt } from './json.ts'

/** A plugin that an app file says it needs. */
export type AppDependency = {
  readonly type: string
  readonly value: JsonObject
  readonly currentIdentifier: string | null
}

/** The plugins that a file lists; what is no mapping is skipped. */
export function dependenciesOf(file: JsonObject): readonly AppDependency[] {
  return objectsAt(file, 'dependencies').map((one) => ({
    type: textAt(one, 'type'),
    value: objectAt(one, 'value'),
    currentIdentifier: textAt(one, 'current_identifier') || null,
  }))
}

/**
 * The dependencies that are missing here: those that a part of the app names which cannot run as things stand. One that
 * is bound, or that no part uses any more, is not missing.
 */
export function leakedDependencies(
  dependencies: readonly AppDependency[],
  definition: AppDefinition,
  issues: readonly PreflightIssue[],
): readonly AppDependency[] {
  const named = new Set(issues.flatMap(({ node }) => textsIn(partOf(definition, node))))
  return dependencies.filter((one) => {
    const plugin = pluginOf(one)
    if (plugin === '') return false
    const short = plugin.split('/').at(-1) ?? plugin
    return [...named].some((text) => text === plugin || text === short || text.startsWith(`${plugin}/`))
  })
}

/** `organisation/name` out of `organisation/name:version@checksum`, wherever the kind of dependency keeps it. */
function pluginOf({ value }: AppDependency): string {
  const identifier = Object.entries(value).find(
    ([key, one]) => key.endsWith('plugin_unique_identifier') && typeof one === 'string',
  )
  return String(identifier?.[1] ?? '').split(/[:@]/)[0] ?? ''
}

/** A node of the graph, or a section of the configuration, by the name that an issue has for it. */
function partOf({ workflow, modelConfig }: AppDefinition, name: string): Json {
  if (modelConfig !== null) return modelConfig[name] ?? null
  const nodes = workflow === null ? [] : objectsAt(objectAt(workflow, 'graph'), 'nodes')
  return nodes.find((node) => node.id === name) ?? null
}

function textsIn(value: Json): readonly string[] {
  if (typeof value === 'string') return [value]
  if (Array.isArray(value)) return value.flatMap(textsIn)
  return isObject(value) ? Object.values(value).flatMap(textsIn) : []
}
