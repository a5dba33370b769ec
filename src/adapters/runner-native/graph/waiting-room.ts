import type { Pausing, RunJob } from '#application/ports/app-runner.ts'
import type { NewId } from '#application/ports/secrets.ts'
import type { JsonObject } from '#domain/app.ts'
import { type FormAnswer, type HumanForm, renderedContent, wireForm } from '#domain/human-form.ts'
import type { RunStep } from '#domain/run.ts'
import type { NodeResult } from '../nodes/node-executor.ts'
import type { Graph } from './graph.ts'
import type { RunState, Waiting } from './run-state.ts'
import type { Place } from './scheduler-events.ts'

/** The forms that a run waits for. */
export type WaitingRoom = {
  /** Puts a node's question to people; gives the step that tells of it. */
  readonly ask: (place: Place, graph: Graph | undefined, asks: NonNullable<NodeResult['asks']>) => readonly RunStep[]
  readonly isEmpty: () => boolean
  /** Keeps the run and gives the step that ends this part of it. */
  readonly pause: (state: Omit<RunState, 'waiting' | 'version'>) => Promise<RunStep>
}

/** Opens the room, with whoever waits in it already. */
export function openWaitingRoom(
  pausing: Pausing | undefined,
  ids: NewId,
  before: readonly Waiting[] = [],
): WaitingRoom {
  const waiting: Waiting[] = [...before]
  const opened: { form: HumanForm; token: string }[] = []
  return {
    ask({ scope, nodeId }, graph, asks) {
      if (pausing === undefined) return []
      const form: HumanForm = { ...asks, formId: ids(), nodeId, nodeTitle: graph?.nodes.get(nodeId)?.title ?? '' }
      const token = pausing.newToken()
      waiting.push({ execution: { scope, nodeId }, form })
      opened.push({ form, token })
      return [{ kind: 'human_input_required', form: wireForm(form, token) }]
    },
    isEmpty: () => waiting.length === 0,
    async pause(state) {
      // Through JSON, as whoever takes it up will read it.
      const kept: JsonObject = JSON.parse(JSON.stringify({ version: 1, ...state, waiting } satisfies RunState))
      await pausing?.keep(kept, opened)
      const reasons = waiting.map(({ form: { formId, nodeId, nodeTitle } }) => ({
        type: 'human_input_required',
        form_id: formId,
        node_id: nodeId,
        node_title: nodeTitle,
      }))
      const { usage, elapsedMs } = state.book
      const { steps: totalSteps, exceptions: exceptionsCount } = state.scheduler
      return { kind: 'paused', reasons, usage, totalSteps, exceptionsCount, elapsedS: elapsedMs / 1000 }
    },
  }
}

/** What an answer means to the node that asked. */
export function answered(form: HumanForm, answer: FormAnswer): NodeResult {
  const { actionId, values } = answer
  const outputs = { ...values, __action_id: actionId, __rendered_content: renderedContent(form, answer) }
  return { inputs: {}, outputs, handles: [actionId] }
}

/** What no answer in time means to the node that asked: its own branch; without one nothing follows. */
export function timedOut({ actions }: HumanForm): NodeResult {
  // An author may have named an action so: that one is only for people.
  const handles = [TIMEOUT, 'timeout'].filter((handle) => !actions.some(({ id }) => id === handle))
  return { inputs: {}, outputs: { __action_id: TIMEOUT }, handles }
}

const TIMEOUT = '__timeout'

/** The step that tells that nobody answered in time. */
export function formTimedOut({ formId, nodeId, nodeTitle, expiresAtMs }: HumanForm): RunStep {
  return {
    kind: 'human_input_form_timeout',
    form: {
      form_id: formId,
      node_id: nodeId,
      node_title: nodeTitle,
      expiration_time: Math.floor(expiresAtMs / 1000),
    },
  }
}

/** The step that tells of an answer. */
export function formFilled(form: HumanForm, answer: FormAnswer): RunStep {
  const { formId, nodeId, nodeTitle, actions } = form
  return {
    kind: 'human_input_form_filled',
    form: {
      form_id: formId,
      node_id: nodeId,
      node_title: nodeTitle,
      rendered_content: renderedContent(form, answer),
      action_id: answer.actionId,
      action_text: actions.find(({ id }) => id === answer.actionId)?.title ?? '',
    },
  }
}

/** Where a job goes on; null for one that begins. The state is our own, kept by the port as it was given. */
export function resumptionOf({ resume }: RunJob) {
  if (resume === undefined) return null
  const state = resume.state as unknown as RunState
  const found = state.waiting.find(({ form }) => form.formId === resume.formId)
  if (state.version !== 1 || found === undefined) throw new Error('a pause that does not hold its form')
  return { state, found, others: state.waiting.filter((one) => one !== found), answer: resume.answer }
}
