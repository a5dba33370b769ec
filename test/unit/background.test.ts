import { expect } from 'chai'
import { untilHourUtcMs } from '#domain/daily.ts'
import { startBackground } from '#src/background.ts'
import { fakeClock } from '../support/clock.ts'

const HOUR_MS = 3_600_000

function start({ prunes = true, fails = false, startMs = Date.UTC(2026, 0, 5, 12) } = {}) {
  const clock = fakeClock(startMs)
  const prunedAt: string[] = []
  const filesPrunedAt: string[] = []
  const tracesPrunedAt: string[] = []
  const flushes: string[] = []
  const lines: string[] = []
  const line = (message: string) => void lines.push(message)
  const background = startBackground({
    cases: {
      tokenUsage: {
        note: () => {},
        flush: async (how) => void flushes.push(how?.everything === true ? 'everything' : 'due'),
      },
      tendRuns: async () => {},
      async pruneEndedTokens() {
        prunedAt.push(new Date(clock.now()).toISOString())
        if (fails) throw new Error('away')
        return { revoked: 1, expired: 2 }
      },
      async pruneFiles() {
        filesPrunedAt.push(new Date(clock.now()).toISOString())
        if (fails) throw new Error('away')
        return { files: 1, orphans: 2 }
      },
      async pruneTraces() {
        tracesPrunedAt.push(new Date(clock.now()).toISOString())
        if (fails) throw new Error('away')
        return 3
      },
    },
    prunes,
    now: clock.now,
    timer: clock.timer,
    log: { info: line, warn: line, error: line },
  })
  return { clock, prunedAt, filesPrunedAt, tracesPrunedAt, flushes, lines, background }
}

describe('what a server does between requests', () => {
  it('L04 prunes every day at 05:00 UTC, whenever it started', () => {
    const { clock, prunedAt } = start()
    clock.advance(3 * 24 * HOUR_MS)
    expect(prunedAt).to.deep.equal(['2026-01-06T05:00:00.000Z', '2026-01-07T05:00:00.000Z', '2026-01-08T05:00:00.000Z'])
  })

  it('L04 a start at 05:00 sharp waits for the next day', () => {
    const { clock, prunedAt } = start({ startMs: Date.UTC(2026, 0, 5, 5) })
    clock.advance(24 * HOUR_MS)
    expect(prunedAt).to.deep.equal(['2026-01-06T05:00:00.000Z'])
  })

  it('L04 a day that failed is told and does not end the days after it', async () => {
    const { clock, prunedAt, lines } = start({ fails: true })
    clock.advance(2 * 24 * HOUR_MS)
    expect(prunedAt).to.have.length(2)
    await Promise.resolve()
    expect(lines.toSorted()).to.deep.equal([
      ...['ended tokens could not be pruned', 'ended tokens could not be pruned'],
      ...['files could not be pruned', 'files could not be pruned'],
      ...['traces of runs could not be pruned', 'traces of runs could not be pruned'],
    ])
  })

  it('prunes files and traces of runs every day, also where tokens are kept for ever', () => {
    const { clock, filesPrunedAt, tracesPrunedAt } = start({ prunes: false })
    clock.advance(2 * 24 * HOUR_MS)
    expect(filesPrunedAt).to.deep.equal(['2026-01-06T05:00:00.000Z', '2026-01-07T05:00:00.000Z'])
    expect(tracesPrunedAt).to.deep.equal(filesPrunedAt)
  })

  it('L04 switched off it never prunes', () => {
    const { clock, prunedAt } = start({ prunes: false })
    clock.advance(3 * 24 * HOUR_MS)
    expect(prunedAt).to.deep.equal([])
  })

  it('writes the last uses every ten seconds, and all of them at the stop, after which nothing happens', async () => {
    const { clock, flushes, prunedAt, background } = start()
    clock.advance(30_000)
    expect(flushes).to.deep.equal(['due', 'due', 'due'])
    await background.stop()
    clock.advance(24 * HOUR_MS)
    expect(flushes).to.deep.equal(['due', 'due', 'due', 'everything'])
    expect(prunedAt).to.deep.equal([])
  })

  for (const [at, hours] of [
    ['04:59', 1 / 60],
    ['05:00', 24],
    ['05:01', 24 - 1 / 60],
    ['23:00', 6],
  ] as const) {
    it(`at ${at} it is ${hours.toFixed(2)} hours until 05:00`, () => {
      expect(untilHourUtcMs(5, Date.parse(`2026-03-29T${at}:00Z`))).to.be.closeTo(hours * HOUR_MS, 1)
    })
  }
})
