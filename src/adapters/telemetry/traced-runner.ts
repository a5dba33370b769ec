import type { AppRunner } from '#application/ports/app-runner.ts'
import type { Span, Tracer } from '#application/ports/tracer.ts'
import { isEnding } from '#domain/run.ts'

/** The same runner; a run is a span and each of its nodes one within. Titles, inputs and outputs stay out of them. */
export function tracedRunner(runner: AppRunner, tracer: Tracer): AppRunner {
  return {
    preflight: (...args) => runner.preflight(...args),
    async *run(job, signal) {
      const run = tracer.begin('run', 'internal', { 'latchkey.app.mode': job.app.mode })
      const nodes = new Map<string, Span>()
      const steps = run.within(() => runner.run(job, signal)[Symbol.asyncIterator]())
      let ending = 'broken'
      try {
        for (;;) {
          // A generator runs in the context of whoever asks it, step by step.
          const { done, value: step } = await run.within(() => steps.next())
          if (done === true) return
          if (step.kind === 'node_started') {
            const facts = { 'latchkey.node.type': step.nodeType }
            nodes.set(
              step.executionId,
              run.within(() => tracer.begin('node', 'internal', facts)),
            )
          } else if (step.kind === 'node_finished') {
            nodes.get(step.executionId)?.end(step.status === 'succeeded' ? {} : { fault: step.status })
            nodes.delete(step.executionId)
          }
          if (isEnding(step) || step.kind === 'paused') ending = step.kind
          yield step
        }
      } finally {
        await steps.return?.()
        for (const node of nodes.values()) node.end({ fault: 'unfinished' })
        const isFault = ending === 'failed' || ending === 'broken'
        run.end({ facts: { 'latchkey.run.ending': ending }, fault: isFault ? ending : undefined })
      }
    },
  }
}
