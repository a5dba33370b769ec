import type { LoadBindings } from '#application/ports/bindings.ts'
import type { Clock } from '#application/ports/clock.ts'
import type { LiveDefinition } from '#application/ports/live-definition.ts'
import { asRefusal } from '#application/use-cases/first-events.ts'
import type { App, AppDefinition, JsonObject } from '#domain/app.ts'
import { isGraphMode } from '#domain/app-mode.ts'
import { isObject, objectsAt, textAt } from '#domain/json.ts'
import type { Place, ServiceApi } from './service-api.ts'
import { UpstreamFailure, upstreamFailed } from './upstream-failure.ts'

/** A change of the app's form is seen after this long; a run should not wait for it each time. */
const KEPT_MS = 60_000
const MAX_KEPT = 1000

type Kept = { readonly place: Place; readonly untilMs: number; readonly parameters: JsonObject }

/** Asks the servers that apps are bound to what the apps take. */
export function createLiveDefinition(needs: { load: LoadBindings; api: ServiceApi; now: Clock }): LiveDefinition {
  const kept = new Map<string, Kept>()

  async function parametersOf(app: App, place: Place): Promise<JsonObject> {
    const known = kept.get(app.id)
    const isSame = known?.place.url === place.url && known.place.key === place.key
    if (known !== undefined && isSame && needs.now() < known.untilMs) return known.parameters
    const [info, parameters] = await Promise.all([needs.api.get(place, '/info'), needs.api.get(place, '/parameters')])
    const mode = textAt(info, 'mode')
    // Older servers do not say.
    if (mode !== '' && mode !== app.mode) {
      throw upstreamFailed(
        'The app is of another kind where it runs.',
        `There it is ${mode}, here ${app.mode}: the key is probably that of another app.`,
      )
    }
    if (kept.size >= MAX_KEPT) kept.clear()
    kept.set(app.id, { place, untilMs: needs.now() + KEPT_MS, parameters })
    return parameters
  }

  return async (app, definition) => {
    const bindings = await needs.load(app.workspaceId)
    const bound = bindings.app(app.id)
    // Without a key nobody can be asked; the run itself says so.
    if (bound === null || bound.key === null) return { definition, bindings }
    try {
      const parameters = await parametersOf(app, { url: bound.url, key: bound.key })
      return { definition: withForm(app, definition, parameters), bindings }
    } catch (error) {
      throw error instanceof UpstreamFailure ? asRefusal(error.failure) : error
    }
  }
}

/** Form and features are the other server's; everything else of the definition belongs to nobody who asks for those. */
function withForm({ mode }: App, definition: AppDefinition, parameters: JsonObject): AppDefinition {
  if (!isGraphMode(mode)) return { ...definition, workflow: null, modelConfig: parameters }
  const variables = objectsAt(parameters, 'user_input_form').flatMap((row) =>
    Object.entries(row).flatMap(([type, field]) => (isObject(field) ? [{ ...field, type }] : [])),
  )
  const start = { id: 'start', data: { type: 'start', variables } }
  return { ...definition, modelConfig: null, workflow: { graph: { nodes: [start], edges: [] }, features: parameters } }
}
