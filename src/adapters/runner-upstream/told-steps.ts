import type { JsonObject } from '#domain/app.ts'
import { type AppMode, isGraphMode } from '#domain/app-mode.ts'
import { listAt, numberAt, objectAt, textAt } from '#domain/json.ts'
import type { RunStep } from '#domain/run.ts'
import type { Told } from './frame-reader.ts'
import { makeOurIds } from './our-ids.ts'
import { MoreText, wordsIn } from './text-mould.ts'
import { endingOf } from './told-ending.ts'
import { errorIn, explain, upstreamFailed } from './upstream-failure.ts'

/** The run that is told of, and how it was asked for. */
export type Telling = {
  readonly mode: AppMode
  readonly inputs: JsonObject
  readonly key: string
  readonly newId: () => string
  /** Seconds since the run began. */
  readonly elapsedS: () => number
}

/** What the other server calls what it does; these names stay here. */
export type TheirNames = { readonly taskId: string | null; readonly conversationId: string | null }

/** Turns the events of another server's run into steps of ours, with ids of our own, and in the end into its ending. */
export function makeTeller(telling: Telling) {
  const { mode, inputs, key, newId } = telling
  const isGraph = isGraphMode(mode)
  const { idOf, nodeRef } = makeOurIds(newId)
  let names: TheirNames = { taskId: null, conversationId: null }
  let answer = ''
  let hasStarted = !isGraph
  let messageEnd: JsonObject | null = null
  let finished: JsonObject | null = null

  function* say(event: JsonObject): Generator<RunStep> {
    const data = objectAt(event, 'data')
    const kind = textAt(event, 'event')
    switch (kind) {
      case 'workflow_started':
        if (hasStarted) return
        hasStarted = true
        return yield { kind: 'run_started', inputs, reason: 'initial' }
      case 'node_started':
        return yield { kind, ...nodeRef(data) }
      case 'node_finished':
        return yield {
          kind,
          ...nodeRef(data),
          status: oneOf(['succeeded', 'failed', 'exception', 'stopped'], textAt(data, 'status')),
          inputs: objectAt(data, 'inputs'),
          processData: objectAt(data, 'process_data'),
          outputs: objectAt(data, 'outputs'),
          error: errorIn(data, key),
          elapsedS: numberAt(data, 'elapsed_time') ?? 0,
          usage: null,
        }
      case 'node_retry':
        return yield {
          kind,
          ...nodeRef(data),
          error: errorIn(data, key) ?? '',
          retryIndex: numberAt(data, 'retry_index') ?? 1,
        }
      case 'iteration_started':
      case 'loop_started': {
        const metadata = objectAt(data, 'metadata')
        const length = numberAt(metadata, 'iterator_length') ?? numberAt(metadata, 'loop_length')
        return yield { kind, ...nodeRef(data), inputs: objectAt(data, 'inputs'), length }
      }
      case 'iteration_next':
      case 'loop_next':
        return yield { kind, ...nodeRef(data), round: numberAt(data, 'index') ?? 0 }
      case 'iteration_completed':
      case 'loop_completed':
        return yield {
          kind,
          ...nodeRef(data),
          status: oneOf(['succeeded', 'failed'], textAt(data, 'status')),
          outputs: objectAt(data, 'outputs'),
          error: errorIn(data, key),
          elapsedS: numberAt(data, 'elapsed_time') ?? 0,
          rounds: numberAt(data, 'steps') ?? 0,
        }
      case 'text_chunk':
      case 'message':
      case 'agent_message': {
        const delta = wordsIn(event) ?? ''
        if (delta === '') return
        answer += delta
        return yield { kind: 'text', delta, fromSelector: selectorOf(event) }
      }
      case 'message_replace':
        answer = textAt(event, 'answer')
        return yield { kind, answer, reason: textAt(event, 'reason') }
      case 'message_file':
        return yield* file(event)
      case 'agent_thought':
        return yield thought(event)
      case 'agent_log':
        return yield {
          kind,
          nodeExecutionId: idOf(textAt(data, 'node_execution_id')),
          label: textAt(data, 'label'),
          status: textAt(data, 'status'),
          data: objectAt(data, 'data'),
        }
      case 'message_end':
        messageEnd = event
        return
      case 'workflow_finished':
        finished = data
        return
      case 'workflow_paused':
      case 'human_input_required':
        throw upstreamFailed(
          'The app waits for a person, who cannot answer from here.',
          'Answer it where it runs, or import the app, so that it runs here.',
        )
      case 'error':
        throw explain(
          {
            status: numberAt(event, 'status') ?? 500,
            code: textAt(event, 'code'),
            message: textAt(event, 'message'),
            retryAfter: null,
          },
          key,
        )
      default:
        // Speech, silence, and what newer servers tell.
        return
    }
  }

  /** The words of a row of events, at once. */
  function* more({ like, delta, ends }: MoreText): Generator<RunStep> {
    if (delta === '') return
    answer += delta
    yield { kind: 'text', delta, fromSelector: selectorOf(like), ...(ends.length > 1 ? { ends } : {}) }
  }

  function* file(event: JsonObject): Generator<RunStep> {
    const url = textAt(event, 'url')
    if (!/^https?:\/\//i.test(url)) return
    yield { kind: 'message_file', fileId: idOf(textAt(event, 'id')), type: textAt(event, 'type') || 'image', url }
  }

  function thought(event: JsonObject): RunStep {
    return {
      kind: 'agent_thought',
      thoughtId: idOf(textAt(event, 'id')),
      position: numberAt(event, 'position') ?? 1,
      thought: textAt(event, 'thought'),
      observation: textAt(event, 'observation'),
      tool: textAt(event, 'tool'),
      toolLabels: objectAt(event, 'tool_labels'),
      toolInput: textAt(event, 'tool_input'),
      messageFiles: listAt(event, 'message_files')
        .filter((one) => typeof one === 'string')
        .map(idOf),
    }
  }

  const ending = () => endingOf(telling, { messageEnd, finished, answer })

  return {
    *steps(told: Told): Generator<RunStep> {
      const event = told instanceof MoreText ? told.like : told
      names = {
        taskId: textAt(event, 'task_id') || names.taskId,
        conversationId: textAt(event, 'conversation_id') || names.conversationId,
      }
      yield* told instanceof MoreText ? more(told) : say(event)
    },
    names: () => names,
    answer: () => answer,
    /** Whether nothing that matters can follow. */
    isOver: () => (mode === 'advanced-chat' ? finished !== null && messageEnd !== null : ending() !== null),
    /** How the run ended; null while nothing says that it has. */
    ending,
  }
}

function selectorOf(event: JsonObject): readonly string[] | null {
  const selector = listAt(objectAt(event, 'data'), 'from_variable_selector').filter((part) => typeof part === 'string')
  return textAt(event, 'event') !== 'text_chunk' || selector.length === 0 ? null : selector
}

function oneOf<const W extends string>(words: readonly [W, ...(readonly W[])], said: string): W {
  return words.find((word) => word === said) ?? words[0]
}
