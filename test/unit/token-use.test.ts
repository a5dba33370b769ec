import { expect } from 'chai'
import { makeTokenUsage } from '#application/auth/token-use.ts'
import type { RecordTokenUses, TokenUse } from '#application/ports/token-usage.ts'
import { fakeClock } from '../support/clock.ts'

function start(record?: RecordTokenUses) {
  const clock = fakeClock()
  const written: TokenUse[] = []
  const warnings: string[] = []
  const usage = makeTokenUsage({
    recordTokenUses: record ?? (async (uses) => void written.push(...uses)),
    now: clock.now,
    log: { info: () => {}, warn: (message) => void warnings.push(message), error: () => {} },
  })
  return { ...usage, clock, written, warnings }
}
const from = (ip: string) => ({ ip, userAgent: 'difyctl/1' })

describe('the last use of tokens', () => {
  it('is written at most once a minute and token, with the latest use', async () => {
    const { note, flush, clock, written } = start()
    for (let second = 0; second <= 120; second += 5) {
      note('h', from(`203.0.113.${second}`))
      await flush()
      clock.advance(5000)
    }
    expect(written.map(({ ip }) => ip)).to.deep.equal(['203.0.113.0', '203.0.113.60', '203.0.113.120'])
  })

  it('of many requests between two writes, one is written, and no idle token is', async () => {
    const { note, flush, clock, written } = start()
    for (let call = 0; call < 100; call++) note('h', from(`203.0.113.${call}`))
    await flush()
    clock.advance(600_000)
    await flush()
    expect(written.map(({ ip }) => ip)).to.deep.equal(['203.0.113.99'])
  })

  it('a stop writes what is not due yet', async () => {
    const { note, flush, written } = start()
    note('h', from('203.0.113.1'))
    await flush()
    note('h', from('203.0.113.2'))
    await flush()
    expect(written).to.have.length(1)
    await flush({ everything: true })
    expect(written.map(({ ip }) => ip)).to.deep.equal(['203.0.113.1', '203.0.113.2'])
  })

  it('while the database is away it says so and tries again', async () => {
    let away = true
    const written: TokenUse[] = []
    const { note, flush, warnings } = start(async (uses) => {
      if (away) throw new Error('away')
      written.push(...uses)
    })
    note('h', from('203.0.113.1'))
    await flush()
    expect(warnings).to.have.length(1)
    away = false
    await flush()
    expect(written).to.have.length(1)
  })

  it('a use noted while another is written is not lost', async () => {
    const written: string[] = []
    const { note, flush, clock } = start(async (uses) => {
      if (written.length === 0) note('h', from('203.0.113.2'))
      written.push(...uses.map(({ ip }) => ip))
    })
    note('h', from('203.0.113.1'))
    await flush()
    clock.advance(60_000)
    await flush()
    expect(written).to.deep.equal(['203.0.113.1', '203.0.113.2'])
  })

  it('memory stays bounded when nothing can be written', async () => {
    let refused = 0
    const { note, flush } = start(async (uses) => {
      refused = uses.length
      throw new Error('away')
    })
    for (let at = 0; at < 100_010; at++) note(`h${at}`, from('203.0.113.1'))
    await flush()
    expect(refused).to.equal(100_000)
  })
})
