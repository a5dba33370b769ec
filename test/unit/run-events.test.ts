import { expect } from 'chai'
import fc from 'fast-check'
import { eventsOf } from '#adapters/http/run-events.ts'
import type { StartedRun } from '#application/use-cases/run-app.ts'
import type { RunEvent } from '#domain/run.ts'
import { aText } from '../support/run-steps.ts'

const AUTHOR = { id: 'a', name: 'Ann', email: 'ann@example.test' }
const IDS = { taskId: 'task', runId: 'run', workflowId: 'flow', messageId: 'message', conversationId: 'conversation' }

/** What a run of these events writes, all of it. */
async function written(mode: StartedRun['mode'], events: readonly RunEvent[]): Promise<string> {
  const run = {
    ids: IDS,
    mode,
    createdAtMs: 0,
    events: (async function* () {
      yield* events
    })(),
  }
  let text = ''
  for await (const one of eventsOf(run, AUTHOR)) text += one
  return text
}

const piece = fc.oneof(
  fc.string({ minLength: 1, maxLength: 8 }),
  fc.string({ minLength: 1, maxLength: 4, unit: 'binary' }),
  fc.constantFrom('"', '\\', '\u007f', '\ud83d', '\ude00', '\n\n', '"\u007f"'),
)
const row = fc.array(piece, { minLength: 1, maxLength: 12 })
const selector = fc.constantFrom(null, ['llm', 'text'], ['\u007f', '"\u007f"'])

describe('the text of a run’s events', () => {
  for (const mode of ['chat', 'completion', 'agent-chat', 'advanced-chat', 'workflow'] as const) {
    it(`of a row of pieces is that of each piece alone: ${mode}`, async () => {
      await fc.assert(
        fc.asyncProperty(row, selector, async (pieces, fromSelector) => {
          const ends = pieces.map((_, at) => pieces.slice(0, at + 1).join('').length)
          const at = { seq: 1, atMs: 0, fromSelector }
          const together = { ...aText(pieces.join('')), ends, ...at } as RunEvent // the builder knows no kinds
          const alone = pieces.map((one) => ({ ...aText(one), ...at }) as RunEvent) // as above
          expect(await written(mode, [together])).to.equal(await written(mode, alone))
        }),
      )
    })
  }
})
