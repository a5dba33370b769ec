import type { Json, JsonObject } from '#domain/app.ts'
import type { HumanForm } from '#domain/human-form.ts'
import type { TokenUsage } from '#domain/run.ts'
import type { Entry, Frame } from './frame.ts'
import type { Execution } from './scheduler-events.ts'
import type { SchedulerState } from './scheduler-state.ts'
import type { VariablePool } from './variable-pool.ts'

/** A form that a node waits for. */
export type Waiting = { readonly execution: Pick<Execution, 'scope' | 'nodeId'>; readonly form: HumanForm }

/** What was told and used so far. */
export type BookState = {
  readonly usage: TokenUsage
  readonly answer: string
  readonly outputs: JsonObject
  readonly retrieved: readonly Json[]
  readonly elapsedMs: number
}

/** A scope at rest. Scopes with one `cell` share their variables. */
export type FrameState = Pick<Frame, 'iterationId' | 'loopId' | 'stream' | 'isStale' | 'failure'> & {
  readonly cell: number
  /** Absent in what an older server kept. */
  readonly held?: number
  readonly entries: Readonly<Record<string, Entry>>
}

/** A graph run at rest: plain JSON, so that another process can take it up. */
export type RunState = {
  readonly version: 1
  readonly scheduler: SchedulerState
  readonly cells: readonly VariablePool[]
  readonly frames: Readonly<Record<string, FrameState>>
  readonly book: BookState
  readonly waiting: readonly Waiting[]
}

/** The scopes at rest. Environment variables stay out: they are the app's, and may be secret. */
export function framesAtRest(all: Iterable<readonly [number, Frame]>): Pick<RunState, 'cells' | 'frames'> {
  const cells: Frame['cell'][] = []
  const frames = [...all].map(([scope, frame]): [string, FrameState] => {
    if (!cells.includes(frame.cell)) cells.push(frame.cell)
    const { iterationId, loopId, stream, held, isStale, failure, entries, cell } = frame
    const kept = { iterationId, loopId, stream, held, isStale, failure, cell: cells.indexOf(cell) }
    return [String(scope), { ...kept, entries: Object.fromEntries(entries) }]
  })
  const withoutEnv = ({ env: _, ...pool }: VariablePool): VariablePool => pool
  return { cells: cells.map(({ pool }) => withoutEnv(pool)), frames: Object.fromEntries(frames) }
}

/** An execution as it was; a round without a result has none, which JSON writes as null. */
export function entryFromRest(entry: Entry): Entry {
  return { ...entry, results: entry.results.map((result) => result ?? undefined) }
}
