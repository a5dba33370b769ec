import type { JsonObject } from '#domain/app.ts'
import { NO_USAGE, type RunStep } from '#domain/run.ts'
import { type Mask, makeMask, secretsOf } from '#domain/trace-mask.ts'
import type { RunJob } from '../ports/app-runner.ts'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import type { KnownKeys, NodeTrace, NodeTraces } from '../ports/node-traces.ts'

type Needs = {
  nodeTraces: NodeTraces
  knownKeys?: KnownKeys
  now: Clock
  log: Log
  settings: { readonly traceRetentionDays: number }
}

/** Writes down what the nodes of one part of a run did, in batches. Nothing here ever fails a run. */
export type RunTrace = {
  /** Masks and cuts at once; writes when enough has come together, and waits for nothing. */
  readonly take: (step: RunStep) => void
  /** Writes what is left. */
  readonly close: () => Promise<void>
}
export type TraceRun = (job: RunJob) => RunTrace

const BATCH = 50
/** While a store is away, a run must not fill the memory with what cannot be written. */
const MAX_WAITING = 500
const MAX_FIELD_BYTES = 16_384
const MAX_TEXT = 255
/** Of an app's own secrets: looking for more takes longer than runs may be held up for. */
const MAX_SECRET_CHARS = 10_000
const NOTHING: RunTrace = { take: () => {}, close: async () => {} }

export function makeTraceRun({ nodeTraces, knownKeys, now, log, settings }: Needs): TraceRun {
  function maskOf(job: RunJob): Mask | 'none' {
    const own = secretsOf(job.definition.workflow)
    if (own.reduce((chars, secret) => chars + secret.length, 0) > MAX_SECRET_CHARS) {
      log.warn('a run is not traced, as its app has too many secrets to take out', { runId: job.ids.runId })
      return 'none'
    }
    return makeMask([...own, ...(knownKeys?.(job.app.workspaceId) ?? [])])
  }

  return (job) => {
    if (settings.traceRetentionDays === 0) return NOTHING
    const { runId } = job.ids
    const opened = new Map<string, JsonObject>()
    let mask: Mask | 'none' | null = null
    let rows: NodeTrace[] = []
    let waiting = 0
    let writing: Promise<void> = Promise.resolve()

    function note(step: RunStep): void {
      if (step.kind === 'iteration_started' || step.kind === 'loop_started') opened.set(step.executionId, step.inputs)
      if (step.kind !== 'node_finished' && step.kind !== 'iteration_completed' && step.kind !== 'loop_completed') return
      if (waiting + rows.length >= MAX_WAITING) return
      // After the first node: by then the runner has read the workspace's keys.
      mask ??= maskOf(job)
      if (mask === 'none') return
      const inputs = step.kind === 'node_finished' ? step.inputs : (opened.get(step.executionId) ?? {})
      opened.delete(step.executionId)
      const elapsedMs = Math.max(0, Math.round(step.elapsedS * 1000))
      rows.push({
        runId,
        executionId: step.executionId.slice(0, MAX_TEXT),
        index: step.index,
        nodeId: step.nodeId.slice(0, MAX_TEXT),
        nodeType: step.nodeType.slice(0, MAX_TEXT),
        title: mask.text(step.title).slice(0, MAX_TEXT),
        status: step.status,
        inputs: cut(mask.json(inputs)),
        outputs: cut(mask.json(step.outputs)),
        error: step.error === null ? null : cutText(mask.text(step.error)),
        elapsedMs,
        startedAtMs: now() - elapsedMs,
        usage: (step.kind === 'node_finished' ? step.usage : null) ?? NO_USAGE,
      })
      if (rows.length >= BATCH) write()
    }

    function write(): void {
      if (rows.length === 0) return
      const batch = rows
      rows = []
      waiting += batch.length
      writing = writing.then(async () => {
        try {
          await nodeTraces.add(batch)
        } catch (error) {
          log.warn('traces of a run were not written', { runId, error })
        }
        waiting -= batch.length
      })
    }

    return {
      take(step) {
        try {
          note(step)
        } catch (error) {
          log.warn('a node was not traced', { runId, error })
        }
      },
      async close() {
        write()
        await writing
      },
    }
  }
}

/** As it is, or its beginning and a mark. */
function cut(value: JsonObject): JsonObject {
  const text = JSON.stringify(value)
  const bytes = text.length > MAX_FIELD_BYTES ? text.length : new TextEncoder().encode(text).length
  return bytes <= MAX_FIELD_BYTES ? value : { cut: true, beginning: cutText(text) }
}

function cutText(text: string): string {
  // So many characters fit whatever they are, also once they are quoted again.
  return text.length > MAX_FIELD_BYTES / 4 ? `${text.slice(0, MAX_FIELD_BYTES / 4)}…` : text
}
