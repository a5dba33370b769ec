import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect } from 'chai'
import { createParser } from 'eventsource-parser'
import fc from 'fast-check'
import { FrameReader, type Told } from '#adapters/runner-upstream/frame-reader.ts'
import { readFrames } from '#adapters/runner-upstream/read-frames.ts'
import { MoreText } from '#adapters/runner-upstream/text-mould.ts'
import { makeTeller } from '#adapters/runner-upstream/told-steps.ts'
import { UpstreamFailure } from '#adapters/runner-upstream/upstream-failure.ts'
import type { JsonObject } from '#domain/app.ts'
import type { RunStep } from '#domain/run.ts'
import { fakeClock } from '../../support/clock.ts'

type Seen = { steps: RunStep[]; names: object; answer: string; failure: string | null }

function aTeller() {
  let id = 0
  const newId = () => `ours-${++id}`
  return makeTeller({ mode: 'advanced-chat', inputs: {}, key: 'k', newId, elapsedS: () => 0 })
}

/** Rows of text as the pieces they are. */
function inPieces(step: RunStep): RunStep[] {
  if (step.kind !== 'text' || step.ends === undefined) return [step]
  const { ends, delta, ...rest } = step
  return ends.map((end, at) => ({ ...rest, delta: delta.slice(ends[at - 1] ?? 0, end) }))
}

/** What a reader makes of what it is told, up to its first failure. */
async function seenBy(told: () => AsyncIterable<Told>): Promise<Seen> {
  const teller = aTeller()
  const steps: RunStep[] = []
  let failure: string | null = null
  try {
    for await (const one of told()) for (const step of teller.steps(one)) steps.push(...inPieces(step))
  } catch (error) {
    if (!(error instanceof UpstreamFailure)) throw error
    failure = error.failure.message
  }
  return { steps, names: teller.names(), answer: teller.answer(), failure }
}

/** Every event by itself, as the standard says it is read. */
async function* oneByOne(text: string): AsyncGenerator<Told> {
  const data: string[] = []
  createParser({ onEvent: (event) => void data.push(event.data), onError() {} }).feed(text)
  for (const one of data) {
    if (one === '') continue
    const frame = parsed(one)
    if (frame === null) {
      throw new UpstreamFailure({
        code: 'upstream_failed',
        message: 'The server of the app sent something that is no event.',
      })
    }
    yield frame
  }
}

function parsed(text: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : null // what else is there
  } catch {
    return null
  }
}

/** The bytes cut at random places, also inside of letters. */
async function* cut(text: string, at: readonly number[]): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text)
  const places = [...new Set(at.map((place) => place % (bytes.length + 1)))].toSorted((a, b) => a - b)
  for (const [index, from] of [0, ...places].entries()) yield bytes.subarray(from, places[index] ?? bytes.length)
}

async function expectSame(text: string, at: readonly number[]): Promise<void> {
  const wellFormed = text.toWellFormed()
  const fast = await seenBy(() => readFrames(cut(wellFormed, at), fakeClock().timer))
  expect(fast).to.deep.equal(await seenBy(() => oneByOne(wellFormed)))
}

const words = fc.oneof(
  { weight: 4, arbitrary: fc.string({ maxLength: 12 }) },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 6 }) },
  fc.constantFrom('', '"', '\\', '\\"', '\n\n', 'data: {}\n\n', '\ud83d', '\ude00', '"answer": "', '\u2028', '\u0000'),
)
const ids = fc.constantFrom({}, { task_id: 't1', conversation_id: 'c1' }, { task_id: 't2', conversation_id: 'c2' })
const event = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .tuple(fc.constantFrom('message', 'message', 'agent_message'), ids, words)
      .map(([kind, names, answer]) => ({ event: kind, ...names, answer })),
  },
  {
    weight: 3,
    arbitrary: fc
      .record({ text: words, selector: fc.constantFrom(['llm', 'text'], ['text', 'answer'], [], [1]) })
      .map(({ text, selector }) => ({ event: 'text_chunk', data: { text, from_variable_selector: selector } })),
  },
  fc.record({ event: fc.constant('message'), answer: fc.constantFrom(5, null, {}), text: words }),
  fc.record({ event: fc.constant('message_replace'), answer: words }),
  fc.record({ event: fc.constant('agent_log'), data: fc.record({ label: words }) }),
  fc.record({ event: fc.constant('workflow_finished'), data: fc.constant({ status: 'succeeded' }) }),
)

/** The escapes and spaces that Python's `json` writes. */
const ascii = (text: string) =>
  text.replaceAll(/[\u0080-\uffff]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`)
const WRITERS: readonly ((event: object) => string)[] = [
  (one) => `data: ${JSON.stringify(one)}\n\n`,
  (one) => `data: ${ascii(JSON.stringify(one)).replaceAll('":', '": ')}\n\n`,
  (one) => `data:${JSON.stringify(one)}\n\n`,
  (one) => `event: message\ndata: ${JSON.stringify(one)}\n\n`,
  (one) => `data: ${JSON.stringify(one)}\r\n\r\n`,
  (one) => `data: ${JSON.stringify(one, null, 1).replaceAll('\n', '\ndata: ')}\n\n`,
]
const block = fc.oneof(
  {
    weight: 12,
    arbitrary: fc
      .tuple(event, fc.constantFrom(0, 0, 0, 0, 0, 0, 1, 1, 2, 3, 4, 5))
      .map(([one, by]) => WRITERS[by]?.(one) ?? ''),
  },
  fc.constantFrom(
    'event: ping\n\n',
    ': hello\n\n',
    'data:\n\n',
    '\n',
    'data: {"event":"message","answer":"a","answer":"b"}\n\n',
  ),
)
const stream = fc.array(block, { maxLength: 30 }).map((blocks) => blocks.join(''))
const cuts = fc.array(fc.nat(10_000), { maxLength: 12 })

function heapAfterSweep(): number {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  return process.memoryUsage().heapUsed
}

describe('what another server’s stream tells, read in rows', () => {
  it('is what it tells event by event, wherever the network cuts it', async () => {
    await fc.assert(fc.asyncProperty(stream, cuts, expectSame), { numRuns: 500 })
  })

  it('is the same up to the same failure when any of it is garbled', async () => {
    const garbled = fc.tuple(stream, fc.nat(10_000), fc.nat(6), words).map(([text, at, gone, noise]) => {
      const place = at % (text.length + 1)
      return text.slice(0, place) + noise + text.slice(place + gone)
    })
    await fc.assert(fc.asyncProperty(garbled, cuts, expectSame), { numRuns: 500 })
  })

  it('is the same for rows of one event in which a single letter is another', async () => {
    const frame = JSON.stringify({
      event: 'message',
      id: 'm',
      answer: 'some words',
      task_id: 't',
      conversation_id: 'c',
    })
    const row = fc
      .tuple(fc.nat(frame.length - 1), fc.constantFrom(...'"\\{}:,x\n\r \u0001'), fc.nat(5))
      .map(([at, letter, which]) => {
        const other = frame.slice(0, at) + letter + frame.slice(at + 1)
        return Array.from({ length: 6 }, (_, index) => `data: ${index === which ? other : frame}\n\n`).join('')
      })
    await fc.assert(fc.asyncProperty(row, cuts, expectSame), { numRuns: 500 })
  })

  const frameWith = (answer: string, more = {}) =>
    `data: ${JSON.stringify({ event: 'message', answer, conversation_id: 'c', ...more })}\n\n`
  const toldBy = (...texts: string[]) => {
    const reader = new FrameReader()
    return texts.map((text) => [...reader.read(text)])
  }

  it('events alike come as one row, also when the stream is cut within one', () => {
    const [first, rest] = toldBy(
      frameWith('a') + frameWith('b ü') + frameWith('c').slice(0, 9),
      frameWith('c').slice(9) + frameWith('d') + frameWith('') + frameWith('e"'),
    )
    expect(first?.[1]).to.be.instanceOf(MoreText).and.include({ delta: 'b ü' })
    expect(rest).to.have.length(2)
    expect(rest?.[1]).to.deep.include({ delta: 'de"', ends: [1, 3] })
  })

  it('a server whose events are never alike is read one by one before long', () => {
    const blocks = Array.from({ length: 100 }, (_, at) => frameWith('a', { at }))
    const [one, other] = toldBy(blocks.join(''), frameWith('b') + frameWith('c'))
    expect(one).to.have.length(100)
    expect(other?.some((told) => told instanceof MoreText)).to.equal(false)
  })

  // A delta may be ten letters out of sixty thousand that came with it: kept as a view, a run would keep them all.
  it('no words of an answer are a view of the piece they came in', () => {
    const junk = `: ${'x'.repeat(60_000)}\n\n`
    const reader = new FrameReader()
    reader.read(frameWith('first'))
    const kept: unknown[] = []
    const before = heapAfterSweep()
    for (let at = 0; at < 500; at++) kept.push(...reader.read(junk + frameWith(`some words ${at}, and more`)))
    const heldBytes = heapAfterSweep() - before
    expect(kept).to.have.length(500)
    expect(heldBytes).to.be.below(5_000_000)
  })
})
