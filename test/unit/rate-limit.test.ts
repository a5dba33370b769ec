import { expect } from 'chai'
import { limits, retryAfterMs } from '#domain/rate-limit.ts'

describe('rate limits', () => {
  it('B13 the oldest hit at 100 s, a window of 60, now 130: 30 s to wait', () => {
    expect(retryAfterMs(100_000, 60_000, 130_000)).to.equal(30_000)
  })

  it('B13 never less than a second, so that no client spins', () => {
    for (const nowMs of [159_001, 159_999, 160_000, 170_000]) {
      expect(retryAfterMs(100_000, 60_000, nowMs), String(nowMs)).to.equal(1000)
    }
  })

  it('E06 each purpose has buckets of its own, even for one address', () => {
    const ip = '203.0.113.7'
    const keys = [limits.deviceCode(ip), limits.lookup(ip), limits.decide(ip, 10), limits.account(ip)].map(
      ({ key }) => key,
    )
    keys.push(limits.bearer(ip, 60).key, limits.login('', ip).key)
    expect(new Set(keys).size).to.equal(keys.length)
    expect(limits.deviceCode(ip).key).not.to.equal(limits.deviceCode('203.0.113.8').key)
  })

  it('E06 sixty codes an hour, sixty lookups in five minutes, five sign-ins a quarter of an hour', () => {
    expect(limits.deviceCode('ip')).to.include({ limit: 60, windowMs: 3_600_000 })
    expect(limits.lookup('ip')).to.include({ limit: 60, windowMs: 300_000 })
    expect(limits.login('a@b.example', 'ip')).to.include({ limit: 5, windowMs: 900_000 })
  })

  it('B10 the configured limits are a minute of a token and an hour of an account', () => {
    expect(limits.bearer('hash', 7)).to.include({ limit: 7, windowMs: 60_000 })
    expect(limits.decide('account', 9)).to.include({ limit: 9, windowMs: 3_600_000 })
  })
})
