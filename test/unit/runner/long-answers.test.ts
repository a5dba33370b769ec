import { expect } from 'chai'
import { untilAborted } from '#adapters/runner-native/model-config/until-aborted.ts'
import { boundedModel } from '#adapters/runner-native/models/bounded-model.ts'
import { type ModelClient, ModelFailure } from '#adapters/runner-native/models/model-client.ts'

describe('answers that do not come to an end', () => {
  function endless(kind: 'text' | 'reasoning') {
    const seen = { said: 0, hasEnded: false }
    const model: ModelClient = {
      canRun: (name) => name === 'known',
      async *stream() {
        try {
          for (;;) yield { kind, delta: 'x'.repeat(++seen.said && 10) }
        } finally {
          seen.hasEnded = true
        }
      },
    }
    return { seen, model }
  }

  // An answer is kept whole until it ends: without a bound one model could take all memory of the server.
  for (const kind of ['text', 'reasoning'] as const) {
    it(`${kind} fails beyond its bound, and the model is left`, async () => {
      const { seen, model } = endless(kind)
      let chars = 0
      let failure: unknown = null
      try {
        for await (const chunk of boundedModel(model, 95).stream({ model: '', messages: [], params: {} }, signal())) {
          if (chunk.kind === kind) chars += chunk.delta.length
        }
      } catch (error) {
        failure = error
      }
      expect(failure).to.be.instanceOf(ModelFailure).with.property('message').that.includes('longer than 95 characters')
      expect(chars).to.equal(90)
      expect(seen).to.deep.equal({ said: 10, hasEnded: true })
    })
  }

  it('a bound changes nothing else of a model', async () => {
    const bounded = boundedModel(endless('text').model, 95)
    expect([bounded.canRun('known'), bounded.canRun('other')]).to.deep.equal([true, false])
  })

  it('an abort ends what waits for a source that ignores it', async () => {
    const stop = new AbortController()
    async function* stuck() {
      yield 1
      await new Promise(() => {})
    }
    const seen: number[] = []
    for await (const one of untilAborted(stuck(), stop.signal)) {
      seen.push(one)
      setImmediate(() => stop.abort())
    }
    expect(seen).to.deep.equal([1])
  })

  it('what a source threw is heard, unless it was left before', async () => {
    async function* broken(): AsyncGenerator<number> {
      yield 1
      throw new Error('broken')
    }
    const told: unknown[] = []
    try {
      for await (const one of untilAborted(broken(), signal())) told.push(one)
    } catch (error) {
      told.push(error instanceof Error && error.message)
    }
    expect(told).to.deep.equal([1, 'broken'])
    const gone = AbortSignal.abort()
    for await (const one of untilAborted(broken(), gone)) told.push(one)
    expect(told).to.deep.equal([1, 'broken'])
  })

  const signal = () => new AbortController().signal
})
