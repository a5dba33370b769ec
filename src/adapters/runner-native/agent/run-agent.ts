import { ModelFailure } from '../models/model-client.ts'
import type { AgentStep, AgentTask, Tally } from './agent-task.ts'
import { callFunctions } from './function-calling.ts'
import { reason } from './react.ts'

/** How an agent tells what it wants: by the model's own function calls, or in words of an agreed form. */
export type Strategy = 'function_calling' | 'react'

/** The strategy of an app file, which has many names for both. */
export function strategyOf(name: string): Strategy {
  return /react|cot/i.test(name) ? 'react' : 'function_calling'
}

/**
 * Lets a model use tools until it answers. What a tool does wrong, or says, is told to the model and ends nothing.
 * @throws ModelFailure
 */
export async function* runAgent(
  task: AgentTask,
  strategy: Strategy,
  tally: Tally,
  signal: AbortSignal,
): AsyncGenerator<AgentStep> {
  if (strategy === 'react') return yield* reason(task, tally, signal)
  let isBegun = false
  try {
    for await (const step of callFunctions(task, tally, signal)) {
      // Held back until the model took the tools: another strategy may have to begin the round.
      if (step.kind === 'round' && !isBegun) continue
      if (!isBegun) yield { kind: 'round', position: 1 }
      isBegun = true
      yield step
    }
  } catch (error) {
    const takesNoTools = error instanceof ModelFailure && error.failure.code === 'model_currently_not_support'
    if (!takesNoTools || isBegun || task.tools.length === 0) throw error
    yield* reason(task, tally, signal)
  }
}
