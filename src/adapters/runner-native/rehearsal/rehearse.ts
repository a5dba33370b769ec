import type { DslFiles, ReadDsl } from '#application/ports/dsl-files.ts'
import type { App, AppDefinition, JsonObject } from '#domain/app.ts'
import type { AppMode } from '#domain/app-mode.ts'
import { DomainError, type PreflightIssue } from '#domain/errors.ts'
import { checkInputs, formOf } from '#domain/input-form.ts'
import { objectAt, objectsAt, textAt } from '#domain/json.ts'
import { isEnding, type RunEnding } from '#domain/run.ts'
import type { CodeRunner, TemplateRenderer } from '../code/code-runner.ts'
import { createNativeRunner } from '../native-runner.ts'
import { answeredRun } from './answered-run.ts'
import { type Clues, withFailures } from './clues.ts'
import { madeUpInputs } from './made-up-inputs.ts'
import { madeUpApp, madeUpDefinition, madeUpJob } from './made-up-job.ts'
import { createPlayingModel } from './playing-model.ts'
import { type Script, scriptsFor } from './script.ts'
import { stagedWorkflow } from './staged-workflow.ts'
import { createStubEgress, type Recording } from './stub-egress.ts'
import { createStubWeb } from './stub-web.ts'

/** How one app file did. `outputs` of a chat is its answer. */
export type Rehearsal = {
  readonly imported: boolean
  readonly mode: AppMode | null
  readonly preflight: readonly PreflightIssue[]
  /** `skipped`: the file could not be read, or something has to be bound first. */
  readonly status: 'succeeded' | 'failed' | 'skipped'
  readonly outputs: JsonObject | null
  readonly error: string | null
}

export type Rehearse = (source: string) => Promise<Rehearsal>

type Needs = {
  readonly dsl: DslFiles
  readonly code: CodeRunner
  readonly templates: TemplateRenderer
  readonly recording: Recording
}

/** After each, the scripts know the keys that code looked for in vain. */
const MAX_ROUNDS = 4
/** In all, for one file. */
const BUDGET_MS = 90_000
const TOO_LONG = /took too long$/

/**
 * Plays an app through without anything of the outside: inputs made up from its form, a model and a network that
 * answer from scripts. Scripts are tried in turn until one leads to the app's end. Never throws for what a file does.
 */
export function makeRehearse(needs: Needs): Rehearse {
  return async (source) => {
    let dsl: ReadDsl
    try {
      dsl = await needs.dsl.read(source)
    } catch (error) {
      if (!(error instanceof DomainError)) throw error
      return { ...NOTHING, imported: false, mode: null, error: reasonOf(error) }
    }
    const deadline = AbortSignal.timeout(BUDGET_MS)
    const definition = madeUpDefinition(
      dsl.workflow === null ? dsl : { ...dsl, workflow: stagedWorkflow(dsl.workflow) },
    )
    const app = madeUpApp(dsl)
    let clues: Clues = { workflow: dsl.workflow ?? {}, keys: [], texts: [] }
    let first: Rehearsal | null = null
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const failures: string[] = []
      for (const script of scriptsFor(clues)) {
        const played = await play(app, definition, script, deadline)
        if (played.status !== 'failed') return played
        first ??= played
        failures.push(played.error ?? '')
        // What hangs will hang again; every script would wait for it.
        if (deadline.aborted || TOO_LONG.test(played.error ?? '')) return first
      }
      const wiser = withFailures(clues, failures)
      if (wiser === null) break
      clues = wiser
    }
    return first ?? { ...NOTHING, imported: true, mode: dsl.mode }
  }

  async function play(app: App, definition: AppDefinition, script: Script, deadline: AbortSignal): Promise<Rehearsal> {
    const faults: unknown[] = []
    const runner = createNativeRunner({
      model: createPlayingModel(script),
      code: needs.code,
      templates: needs.templates,
      egress: createStubEgress(needs.recording, script),
      webFetch: createStubWeb(script),
      now: Date.now,
      timer,
      ids: () => crypto.randomUUID(),
      onFault: (error) => faults.push(error),
    })
    const about = { imported: true, mode: app.mode, preflight: [] as readonly PreflightIssue[] }
    const preflight = await runner.preflight(app, definition)
    if (!preflight.ok) return { ...NOTHING, ...about, preflight: preflight.issues }
    const form = formOf(app.mode, definition)
    const readsDocuments = hasNode(definition, 'document-extractor')
    const checked = form === null ? null : checkInputs(form, madeUpInputs(form, script, readsDocuments))
    if (checked === null) return { ...NOTHING, ...about, status: 'failed', error: 'the app has no usable form' }
    if (!checked.ok) {
      const error = checked.issues.map(({ msg }) => msg).join('; ')
      return { ...NOTHING, ...about, status: 'failed', error }
    }
    const job = madeUpJob(app, definition, checked.inputs, script, readsDocuments)
    for await (const step of answeredRun(runner, job, script.words, deadline)) {
      if (!isEnding(step)) continue
      const [fault] = faults
      const ended = told(step, app.mode)
      // Nobody else reads a log here.
      return { ...about, ...ended, error: fault === undefined ? ended.error : `internal fault: ${String(fault)}` }
    }
    return { ...NOTHING, ...about, status: 'failed', error: 'the run stopped without an ending' }
  }
}

const NOTHING = { preflight: [], status: 'skipped' as const, outputs: null, error: null }

function told(ending: RunEnding, mode: AppMode): Pick<Rehearsal, 'status' | 'outputs' | 'error'> {
  const outputs = mode === 'workflow' ? ending.outputs : { ...ending.outputs, answer: ending.answer }
  switch (ending.kind) {
    case 'succeeded':
    case 'partial':
      return { status: 'succeeded', outputs, error: null }
    case 'failed':
      return { status: 'failed', outputs, error: ending.failure.message }
    case 'stopped':
      return { status: 'failed', outputs, error: 'the run took too long' }
  }
}

function timer(delayMs: number, fire: () => void): () => void {
  const handle = setTimeout(fire, delayMs).unref()
  return () => clearTimeout(handle)
}

function hasNode({ workflow }: AppDefinition, type: string): boolean {
  const nodes = objectsAt(objectAt(workflow ?? {}, 'graph'), 'nodes')
  return nodes.some((node) => textAt(objectAt(node, 'data'), 'type') === type)
}

function reasonOf({ code, facts }: DomainError): string {
  return 'message' in facts && typeof facts.message === 'string' ? facts.message : code
}
