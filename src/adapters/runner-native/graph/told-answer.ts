import type { RunStep } from '#domain/run.ts'
import { heard, type StreamEvent, tell } from './answer-stream.ts'
import type { Frame } from './frame.ts'
import type { Frames } from './frames.ts'
import type { Scheduler } from './scheduler.ts'
import type { Place } from './scheduler-events.ts'
import { answerText } from './variable-pool.ts'

/** A run's answer as far as it was told, of all its scopes. */
export type ToldAnswer = {
  readonly text: () => string
  /** Why the run has to end here, once it told more than it may. */
  readonly excess: () => string | null
  /** Takes what happened in a scope; gives what can be told of the answer now. */
  readonly say: (frame: Frame, event: StreamEvent) => readonly RunStep[]
  /** Takes a piece of a node's text; gives what can be told of the answer now. */
  readonly hear: (place: Place, delta: string) => readonly RunStep[]
  /** Whether any of the node's text was kept for the answer. */
  readonly wasHeard: (place: Place) => boolean
  /** What newly decided edges make certain; told before the next nodes begin. */
  readonly catchUp: () => readonly RunStep[]
}

/** Goes on from the text `before`; the whole may have `mayTell` characters. */
export function openToldAnswer(
  scheduler: Pick<Scheduler, 'edges'>,
  frames: Pick<Frames, 'at' | 'all'>,
  mayTell: number,
  before: string,
): ToldAnswer {
  let answer = before
  let excess: string | null = null

  function say(frame: Frame, event: StreamEvent): readonly RunStep[] {
    let room = mayTell - answer.length
    // One event may complete thousands of placeholders: none is made into text that will not be told.
    const textOf = (selector: readonly string[]) => {
      const text = room < 0 ? '' : answerText(frame.cell.pool, selector)
      room -= text.length
      return text
    }
    const steps: RunStep[] = []
    for (const { delta, fromSelector } of tell(frame.plan, frame.stream, event, textOf)) {
      if (answer.length + delta.length > mayTell) excess ??= `the answer is longer than ${mayTell} characters`
      if (excess !== null) break
      answer += delta
      steps.push({ kind: 'text', delta, fromSelector })
    }
    return steps
  }

  return {
    text: () => answer,
    excess: () => excess,
    say,
    hear({ scope, nodeId }, delta) {
      const frame = frames.at(scope)
      return frame === undefined ? [] : say(frame, { kind: 'delta', nodeId, delta })
    },
    wasHeard({ scope, nodeId }) {
      const frame = frames.at(scope)
      return frame !== undefined && heard(frame.stream, nodeId).length > 0
    },
    catchUp() {
      const steps: RunStep[] = []
      for (const [scope, frame] of frames.all()) {
        if (!frame.isStale) continue
        frame.isStale = false
        steps.push(...say(frame, { kind: 'edges', edges: scheduler.edges(scope) }))
      }
      return steps
    },
  }
}
