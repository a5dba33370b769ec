import { expect } from 'chai'
import type { Told } from '#adapters/runner-upstream/frame-reader.ts'
import { createServiceApi } from '#adapters/runner-upstream/service-api.ts'
import { UpstreamFailure } from '#adapters/runner-upstream/upstream-failure.ts'
import { fakeClock } from '../../support/clock.ts'

const PLACE = { url: 'https://dify.example/v1', key: 'k' }
const never = () => new AbortController().signal
const turn = () => new Promise(setImmediate)

/** What a promise failed with, as callers read it. */
async function failureOf(work: Promise<unknown>): Promise<string> {
  const outcome = await work.catch((error: unknown) => error)
  return outcome instanceof UpstreamFailure ? outcome.failure.message : `no failure: ${String(outcome)}`
}

describe('a server of an app that says nothing', () => {
  it('is given up after a minute without an answer, and its connection with it', async () => {
    const clock = fakeClock()
    let signal: AbortSignal | null | undefined
    const fetch: typeof globalThis.fetch = (_url, init) =>
      new Promise((_, reject) => {
        signal = init?.signal
        signal?.addEventListener('abort', () => reject(signal?.reason))
      })
    const api = createServiceApi({ fetch, timer: clock.timer })
    const failure = failureOf(api.stream(PLACE, '/chat-messages', {}, never()))
    clock.advance(59_999)
    expect(signal?.aborted).to.equal(false)
    clock.advance(1)
    expect(await failure).to.equal('The server of the app did not answer in time.')
  })

  it('is given up after a minute when it begins an answer and never ends it', async () => {
    const clock = fakeClock()
    const fetch: typeof globalThis.fetch = async (_url, init) => {
      const body = new ReadableStream<Uint8Array>({
        start: (controller) => {
          controller.enqueue(new TextEncoder().encode('{"mode":'))
          init?.signal?.addEventListener('abort', () => controller.error(init.signal?.reason))
        },
      })
      return new Response(body, { headers: { 'Content-Type': 'application/json' } })
    }
    const failure = failureOf(createServiceApi({ fetch, timer: clock.timer }).get(PLACE, '/info'))
    await turn()
    clock.advance(60_000)
    expect(await failure).to.equal('The server of the app did not answer in time.')
  })

  it('is given up after a minute without a word in a stream; pings are words', async () => {
    const clock = fakeClock()
    let controller: ReadableStreamDefaultController<Uint8Array> | null = null
    let signal: AbortSignal | null | undefined
    const body = new ReadableStream<Uint8Array>({
      start: (given) => {
        controller = given
      },
    })
    const reply = new Response(body, { headers: { 'Content-Type': 'text/event-stream' } })
    const fetch: typeof globalThis.fetch = async (_url, init) => {
      signal = init?.signal
      return reply
    }
    const api = createServiceApi({ fetch, timer: clock.timer })
    const write = (text: string) => controller?.enqueue(new TextEncoder().encode(text))
    const seen: Told[] = []
    const reading = (async () => {
      for await (const frame of await api.stream(PLACE, '/chat-messages', {}, never())) seen.push(frame)
    })()
    const failure = failureOf(reading)
    await turn()
    write('data: {"event":"message"}\n\n')
    await turn()
    for (let ping = 0; ping < 5; ping++) {
      clock.advance(50_000)
      write('event: ping\n\n')
      await turn()
    }
    clock.advance(60_000)
    expect(await failure).to.equal('The server of the app fell silent.')
    expect(seen).to.deep.equal([{ event: 'message' }])
    expect(signal?.aborted, 'the connection').to.equal(true)
  })
})
