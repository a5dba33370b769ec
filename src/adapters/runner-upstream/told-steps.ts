import type { JsonObject } from '#domain/app.ts'
import { type AppMode, isGraphMode } from '#domain/app-mode.ts'
import { listAt, numberAt, objectAt, textAt } from '#domain/json.ts'
import { NO_USAGE, type NodeRef, type RunEnding, type RunStep, type TokenUsage } from '#domain/run.ts'
import type { Told } from './frame-reader.ts'
import { MoreText, wordsIn } from './text-mould.ts'
import { clean, explain, upstreamFailed } from './upstream-failure.ts'

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

/**
 * Turns the events of another server's run into steps of ours, with names of our own: ids of that server would let a
 * caller of this one reach for what is not theirs.
 */
export function makeTeller({ mode, inputs, key, newId, elapsedS }: Telling) {
  const isGraph = isGraphMode(mode)
  const ids = new Map<string, string>()
  let names: TheirNames = { taskId: null, conversationId: null }
  let answer = ''
  let hasStarted = !isGraph
  let index = 0
  let messageEnd: JsonObject | null = null
  let finished: JsonObject | null = null

  function ourId(theirs: string): string {
    const known = ids.get(theirs) ?? newId()
    ids.set(theirs, known)
    return known
  }

  function nodeRef(data: JsonObject): NodeRef {
    const theirs = textAt(data, 'id') || textAt(data, 'node_id')
    if (!ids.has(theirs)) index += 1
    return {
      executionId: ourId(theirs),
      nodeId: textAt(data, 'node_id'),
      nodeType: textAt(data, 'node_type'),
      title: textAt(data, 'title'),
      index: numberAt(data, 'index') ?? index,
      predecessorNodeId: textAt(data, 'predecessor_node_id') || null,
      iterationId: textAt(data, 'iteration_id') || null,
      loopId: textAt(data, 'loop_id') || null,
    }
  }

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
          error: errorIn(data),
          elapsedS: numberAt(data, 'elapsed_time') ?? 0,
          usage: null,
        }
      case 'node_retry':
        return yield {
          kind,
          ...nodeRef(data),
          error: errorIn(data) ?? '',
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
          error: errorIn(data),
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
          nodeExecutionId: ourId(textAt(data, 'node_execution_id')),
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
    yield { kind: 'message_file', fileId: ourId(textAt(event, 'id')), type: textAt(event, 'type') || 'image', url }
  }

  function thought(event: JsonObject): RunStep {
    return {
      kind: 'agent_thought',
      thoughtId: ourId(textAt(event, 'id')),
      position: numberAt(event, 'position') ?? 1,
      thought: textAt(event, 'thought'),
      observation: textAt(event, 'observation'),
      tool: textAt(event, 'tool'),
      toolLabels: objectAt(event, 'tool_labels'),
      toolInput: textAt(event, 'tool_input'),
      messageFiles: listAt(event, 'message_files')
        .filter((one) => typeof one === 'string')
        .map(ourId),
    }
  }

  function errorIn(data: JsonObject): string | null {
    const said = textAt(data, 'error')
    return said === '' ? null : clean(said, key)
  }

  /** How the run ended; null while nothing says that it has. */
  function ending(): RunEnding | null {
    const resources = listAt(objectAt(messageEnd ?? {}, 'metadata'), 'retriever_resources')
    const totals = { usage: usage(), totalSteps: 0, elapsedS: elapsedS(), exceptionsCount: 0 }
    if (!isGraph) {
      return messageEnd === null
        ? null
        : { kind: 'succeeded', outputs: {}, answer, retrieverResources: resources, ...totals }
    }
    if (finished === null) return null
    const outputs = objectAt(finished, 'outputs')
    const common = {
      outputs,
      answer,
      ...totals,
      totalSteps: numberAt(finished, 'total_steps') ?? 0,
      elapsedS: numberAt(finished, 'elapsed_time') ?? totals.elapsedS,
      exceptionsCount: numberAt(finished, 'exceptions_count') ?? 0,
    }
    switch (textAt(finished, 'status')) {
      case 'succeeded':
        return { kind: 'succeeded', retrieverResources: resources, ...common }
      case 'partial-succeeded':
        return { kind: 'partial', retrieverResources: resources, ...common }
      case 'stopped':
        return { kind: 'stopped', reason: 'user', ...common }
      default: {
        const message = errorIn(finished) ?? 'The app failed where it runs.'
        return { kind: 'failed', failure: { code: 'completion_request_error', message }, ...common }
      }
    }
  }

  function usage(): TokenUsage {
    const told = objectAt(objectAt(messageEnd ?? {}, 'metadata'), 'usage')
    const count = (name: string) => Math.max(0, Math.trunc(numberAt(told, name) ?? 0))
    const totalTokens = count('total_tokens') || Math.max(0, numberAt(finished ?? {}, 'total_tokens') ?? 0)
    if (totalTokens === 0) return NO_USAGE
    return { promptTokens: count('prompt_tokens'), completionTokens: count('completion_tokens'), totalTokens }
  }

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
