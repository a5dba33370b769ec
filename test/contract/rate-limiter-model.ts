import { expect } from 'chai'
import fc from 'fast-check'
import type { RateLimiter } from '#application/ports/rate-limiter.ts'
import type { FakeClock } from '../support/clock.ts'

type Opened = { readonly limiter: RateLimiter; readonly clock: FakeClock; close(): Promise<void> }

const WINDOW_MS = 60_000
const KEYS = ['a', 'b'] as const
/** Around the edges of the window, to the millisecond. */
const STEPS_MS = [1, 999, 1_000, 20_000, 29_999, 30_000, 59_000, 59_999, 60_000, 60_001]

type Move =
  | { readonly kind: 'wait'; readonly ms: number }
  /** `times` calls at once, each of all `keys`. */
  | { readonly kind: 'call'; readonly keys: readonly string[]; readonly times: number }
  | { readonly kind: 'give back'; readonly key: string }

const key = fc.constantFrom(...KEYS)
const limits = fc.constantFrom(1, 3, 5)
const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...STEPS_MS).map((ms): Move => ({ kind: 'wait', ms })) },
  {
    weight: 5,
    arbitrary: fc
      .tuple(fc.constantFrom<readonly string[]>(['a'], ['b'], ['a', 'b']), fc.nat({ max: 6 }))
      .map(([keys, times]): Move => ({ kind: 'call', keys, times })),
  },
  { weight: 1, arbitrary: key.map((one): Move => ({ kind: 'give back', key: one })) },
)

/** A window as a list of its hits: what B13 and B14 mean, written down. */
class Windows {
  readonly #hits = new Map<string, number[]>()

  hits(name: string, nowMs: number): readonly number[] {
    const live = (this.#hits.get(name) ?? []).filter((atMs) => nowMs < atMs + WINDOW_MS)
    this.#hits.set(name, live)
    return live
  }

  /** Which of `keys` refuses and for how long; null, and all are hit, when none does. */
  admit(
    keys: readonly string[],
    limit: number,
    nowMs: number,
  ): { readonly by: number; readonly waitMs: number } | null {
    const by = keys.findIndex((one) => this.hits(one, nowMs).length >= limit)
    const full = by < 0 ? undefined : keys[by]
    if (full !== undefined) {
      const [oldest = nowMs] = this.hits(full, nowMs)
      return { by, waitMs: Math.max(1_000, oldest + WINDOW_MS - nowMs) }
    }
    for (const one of keys) this.#hits.set(one, [...this.hits(one, nowMs), nowMs])
    return null
  }

  giveBack(name: string, atMs: number): void {
    const hits = this.#hits.get(name) ?? []
    const at = hits.indexOf(atMs)
    if (at >= 0) this.#hits.set(name, hits.toSpliced(at, 1))
  }
}

/** Random calls, alone and at once, over buckets that share keys, against a list of hits. */
export function rateLimiterModel(name: string, open: () => Promise<Opened>, numRuns: number): void {
  describe(`the sliding window against its model: ${name}`, function () {
    this.timeout(60_000)
    let opened: Opened
    let runs = 0
    before(async () => {
      opened = await open()
    })
    after(() => opened.close())

    it(`B13 B14 ${numRuns} random sequences are counted to the millisecond`, async () => {
      const property = fc.asyncProperty(
        limits,
        fc.array(move, { minLength: 1, maxLength: 30 }),
        async (limit, moves) => {
          const { limiter, clock } = opened
          const run = runs++
          const bucket = (one: string) => ({ key: `${run} ${one}`, limit, windowMs: WINDOW_MS })
          const model = new Windows()
          const receipts: { readonly key: string; readonly receipt: string; readonly atMs: number }[] = []
          for (const one of moves) {
            const nowMs = clock.now()
            if (one.kind === 'wait') clock.advance(one.ms)
            else if (one.kind === 'give back') {
              const found = receipts.findIndex(({ key: held }) => held === one.key)
              const [hit] = found < 0 ? [] : receipts.splice(found, 1)
              if (hit === undefined) continue
              await limiter.giveBack(bucket(hit.key), hit.receipt)
              model.giveBack(hit.key, hit.atMs)
            } else {
              const buckets = one.keys.map((each) => bucket(each))
              const said = await Promise.all(Array.from({ length: one.times }, () => limiter.admit(buckets)))
              const expected = said.map(() => model.admit(one.keys, limit, nowMs))
              // Of calls at once, which got in says nothing, how many did is everything. Two buckets may lie on two
              // servers: then which of them refuses is settled by whoever comes first.
              const words = (list: readonly (readonly [number | null, number | null])[]) =>
                list
                  .map(([by, waitMs]) => (one.keys.length === 1 || list.length === 1 ? `${by} ${waitMs}` : by === null))
                  .toSorted()
              expect(words(said.map(({ refusedBy, retryAfterMs }) => [refusedBy, retryAfterMs]))).to.deep.equal(
                words(expected.map((each) => [each?.by ?? null, each?.waitMs ?? null])),
              )
              for (const { retryAfterMs, receipt } of said) {
                // A receipt of several buckets gives one of them back; the model follows single ones only.
                if (retryAfterMs === null && one.keys.length === 1) {
                  receipts.push({ key: one.keys[0] ?? '', receipt, atMs: nowMs })
                }
              }
            }
          }
        },
      )
      await fc.assert(property, { numRuns })
    })
  })
}
