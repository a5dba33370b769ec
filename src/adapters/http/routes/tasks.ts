import * as v from 'valibot'
import { isGraphMode } from '#domain/app-mode.ts'
import { runExamples } from '../examples/runs.ts'
import { type Route, route } from '../route.ts'
import { eventsOf } from '../run-events.ts'
import { appErrors, authorOf } from './run.ts'

const access = { kind: 'app', scope: 'apps:run' } as const
const Flag = v.optional(v.picklist(['true', 'false', '1', '0']))

const stop = route({
  method: 'post',
  path: '/apps/:id/tasks/:task/stop',
  summary: 'Stop a run of one’s own, wherever it is carried',
  access,
  missing: 'not_found',
  reply: v.strictObject({ result: v.literal('success') }),
  example: runExamples.stopTask,
  errors: [...appErrors, 'not_found', 'service_unavailable'],
  handle: async ({ params }, admitted, cases) => {
    await cases.stopRun(admitted, params.task ?? '')
    return { result: 'success' as const }
  },
})

const events = route({
  method: 'get',
  path: '/apps/:id/tasks/:run/events',
  summary: 'Follow a run of one’s own, or be told again how it ended',
  access,
  missing: 'not_found',
  query: v.object({
    include_state_snapshot: v.pipe(Flag, v.description('Tells what happened so far first.')),
    continue_on_pause: v.pipe(Flag, v.description('Stays while the run waits for a person, and goes on with it.')),
  }),
  reply: v.strictObject({}),
  streams: 'only',
  example: runExamples.followRun,
  errors: [...appErrors, 'not_found', 'service_unavailable'],
  handle: async ({ query, params }, admitted, cases, { onHangUp }) => {
    const gone = new AbortController()
    onHangUp(() => gone.abort())
    const how = { fromStart: isOn(query.include_state_snapshot), throughPauses: isOn(query.continue_on_pause) }
    const joined = await cases.joinRun(admitted, params.run ?? '', how, gone.signal)
    return { kind: 'event-stream', events: eventsOf(joined, authorOf(admitted)), pingAtOnce: isGraphMode(joined.mode) }
  },
})

function isOn(flag: v.InferOutput<typeof Flag>): boolean {
  return flag === 'true' || flag === '1'
}

/** Runs that are under way or over. */
export const taskRoutes: readonly Route[] = [stop, events]
