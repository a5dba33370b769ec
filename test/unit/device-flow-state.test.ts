import { expect } from 'chai'
import fc from 'fast-check'
import { approve, claim, type DeviceFlowState, deny, type Grant, poll, release } from '#domain/device-flow-state.ts'
import { aFlow, NOW_MS } from '../support/builders.ts'

const CLIENT = 'difyctl'
const S = 1000

const GRANT: Grant = {
  subject: { type: 'account', accountId: 'a', email: 'a@b.example' },
  tokenId: 't',
  tokenHash: 'h',
  workspaceId: null,
  sealedToken: { v: 1, ephemeral: 'e', box: 'b' },
}

const approved = (overrides: Partial<DeviceFlowState> = {}) =>
  aFlow({ decision: { status: 'approved', ...GRANT }, ...overrides })
const denied = (overrides: Partial<DeviceFlowState> = {}) => aFlow({ decision: { status: 'denied' }, ...overrides })

/** Polls at each instant (seconds after the start) in turn, storing what each leaves behind. */
function pollAt(start: DeviceFlowState, ...seconds: number[]): string[] {
  let flow = start
  return seconds.map((second) => {
    const outcome = poll(flow, CLIENT, NOW_MS + second * S)
    if (outcome.kind !== 'wait') return outcome.kind
    flow = outcome.next
    return `${outcome.code} ${outcome.next.intervalS}`
  })
}

function won(outcome: ReturnType<typeof claim>): DeviceFlowState {
  if (outcome.kind !== 'won') throw new Error(`not won: ${outcome.kind}`)
  return outcome.next
}

describe('polling a device flow', () => {
  it('E07 first pending, at once again slow_down with 10, then 15, and never above 30', () => {
    expect(pollAt(aFlow(), 0, 0, 0, 0, 0, 0, 0)).to.deep.equal([
      'authorization_pending 5',
      'slow_down 10',
      'slow_down 15',
      'slow_down 20',
      'slow_down 25',
      'slow_down 30',
      'slow_down 30',
    ])
  })

  it('E07 at the raised interval the answer is pending again, and the interval stays raised', () => {
    expect(pollAt(aFlow(), 0, 1, 11, 16)).to.deep.equal([
      'authorization_pending 5',
      'slow_down 10',
      'authorization_pending 10',
      'slow_down 15',
    ])
  })

  it('E07 the first poll is never too early', () => {
    expect(pollAt(aFlow(), 0)).to.deep.equal(['authorization_pending 5'])
  })

  it('E07 the interval is measured from the last poll, a refused one too', () => {
    expect(pollAt(aFlow(), 0, 4, 6)).to.deep.equal(['authorization_pending 5', 'slow_down 10', 'slow_down 15'])
  })

  it('E08 4.3 s after a 5 s interval is forgiven, 0.75 s being the edge', () => {
    expect(pollAt(aFlow(), 0, 4.3)[1]).to.equal('authorization_pending 5')
    expect(pollAt(aFlow(), 0, 4.25)[1]).to.equal('authorization_pending 5')
    expect(pollAt(aFlow(), 0, 4.249)[1]).to.equal('slow_down 10')
  })

  it('E09 a decision is told even to who polls too early', () => {
    const early = { lastPolledAtMs: NOW_MS }
    expect(poll(approved(early), CLIENT, NOW_MS)).to.deep.include({ kind: 'granted' })
    expect(poll(denied(early), CLIENT, NOW_MS)).to.deep.equal({ kind: 'denied' })
    expect(poll(aFlow({ ...early, expiresAtMs: NOW_MS }), CLIENT, NOW_MS)).to.deep.equal({ kind: 'expired' })
  })

  it('E09 the expiry is exclusive, and goes before every decision', () => {
    for (const flow of [aFlow(), approved(), denied()]) {
      expect(poll(flow, CLIENT, flow.expiresAtMs - 1).kind).not.to.equal('expired')
      expect(poll(flow, CLIENT, flow.expiresAtMs)).to.deep.equal({ kind: 'expired' })
    }
  })

  it('E10 another client hears what an expired code would say, and changes nothing', () => {
    for (const flow of [aFlow(), approved(), denied()]) {
      expect(poll(flow, 'other', NOW_MS)).to.deep.equal({ kind: 'expired' })
      expect(poll(flow, `${CLIENT} `, NOW_MS)).to.deep.equal({ kind: 'expired' })
    }
    expect(poll(approved(), CLIENT, NOW_MS).kind).to.equal('granted')
  })

  it('a claimed flow is still pending to who polls', () => {
    expect(poll(won(claim(aFlow(), 'me', NOW_MS)), CLIENT, NOW_MS)).to.include({ code: 'authorization_pending' })
  })
})

describe('deciding a device flow', () => {
  it('E12 who holds the claim approves; others hear that an approve is in progress', () => {
    const claimed = won(claim(aFlow(), 'me', NOW_MS))
    expect(claim(claimed, 'you', NOW_MS)).to.deep.equal({ kind: 'approve_in_progress' })
    expect(deny(claimed, NOW_MS)).to.deep.equal({ kind: 'approve_in_progress' })
    expect(approve(claimed, 'you', GRANT, NOW_MS)).to.deep.equal({ kind: 'state_lost' })
    expect(won(approve(claimed, 'me', GRANT, NOW_MS)).decision).to.deep.equal({ status: 'approved', ...GRANT })
  })

  it('an approve without a claim is lost', () => {
    expect(approve(aFlow(), 'me', GRANT, NOW_MS)).to.deep.equal({ kind: 'state_lost' })
  })

  it('E12 what is decided stays decided', () => {
    for (const flow of [approved(), denied()]) {
      expect(claim(flow, 'me', NOW_MS)).to.deep.equal({ kind: 'already_resolved' })
      expect(deny(flow, NOW_MS)).to.deep.equal({ kind: 'already_resolved' })
      expect(approve(flow, 'me', GRANT, NOW_MS)).to.deep.equal({ kind: 'state_lost' })
      expect(release(flow, 'me')).to.equal(null)
    }
  })

  it('E13 an expired code cannot be decided', () => {
    const flow = aFlow({ expiresAtMs: NOW_MS })
    expect(claim(flow, 'me', NOW_MS)).to.deep.equal({ kind: 'expired_or_unknown' })
    expect(deny(flow, NOW_MS)).to.deep.equal({ kind: 'expired_or_unknown' })
  })

  it('E15 a released claim leaves the code pending; only its owner can release it', () => {
    const claimed = won(claim(aFlow(), 'me', NOW_MS))
    expect(release(claimed, 'you')).to.equal(null)
    expect(release(claimed, 'me')?.decision).to.deep.equal({ status: 'pending', claim: null })
    expect(release(aFlow(), 'me')).to.equal(null)
  })

  it('E15 a claim that was never released is free after ten seconds, and its old owner has lost', () => {
    const claimed = won(claim(aFlow(), 'me', NOW_MS))
    expect(claim(claimed, 'you', NOW_MS + 9_999)).to.deep.equal({ kind: 'approve_in_progress' })
    const taken = won(claim(claimed, 'you', NOW_MS + 10_000))
    expect(approve(taken, 'me', GRANT, NOW_MS + 10_000)).to.deep.equal({ kind: 'state_lost' })
    expect(deny(claimed, NOW_MS + 10_000).kind).to.equal('won')
  })

  it('a claim keeps the code at least as long as its lease', () => {
    const last = aFlow({ expiresAtMs: NOW_MS + 1 })
    expect(won(claim(last, 'me', NOW_MS)).expiresAtMs).to.equal(NOW_MS + 10_000)
    expect(won(claim(aFlow(), 'me', NOW_MS)).expiresAtMs).to.equal(NOW_MS + 900_000)
  })

  it('E09b approved in its last second and polled 30 s later: the token is there', () => {
    const lastMs = NOW_MS + 899_500
    const flow = won(approve(won(claim(aFlow(), 'me', lastMs)), 'me', GRANT, lastMs))
    expect(poll(flow, CLIENT, lastMs + 30_000).kind).to.equal('granted')
    expect(poll(flow, CLIENT, lastMs + 60_000).kind).to.equal('expired')
  })

  it('a deny can be heard for a second at least, and shortens nothing', () => {
    expect(won(deny(aFlow({ expiresAtMs: NOW_MS + 1 }), NOW_MS)).expiresAtMs).to.equal(NOW_MS + 1000)
    expect(won(deny(aFlow(), NOW_MS)).expiresAtMs).to.equal(NOW_MS + 900_000)
  })

  it('E30 in any order of steps: one winner, a growing interval, an expiry that only moves out', () => {
    const act = fc.record({
      step: fc.constantFrom('poll', 'claim', 'approve', 'deny', 'release'),
      who: fc.constantFrom('a', 'b'),
      afterMs: fc.integer({ min: 0, max: 40_000 }),
    })
    fc.assert(
      fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
        let flow = aFlow()
        let nowMs = NOW_MS
        let decisions = 0
        for (const { step, who, afterMs } of acts) {
          nowMs += afterMs
          const before = flow
          if (step === 'poll') {
            const outcome = poll(flow, CLIENT, nowMs)
            if (outcome.kind === 'wait') flow = outcome.next
            expect(outcome.kind === 'granted').to.equal(
              before.decision.status === 'approved' && nowMs < before.expiresAtMs,
            )
          } else if (step === 'release') flow = release(flow, who) ?? flow
          else {
            const outcome =
              step === 'claim'
                ? claim(flow, who, nowMs)
                : step === 'deny'
                  ? deny(flow, nowMs)
                  : approve(flow, who, GRANT, nowMs)
            if (outcome.kind === 'won') flow = outcome.next
            if (outcome.kind === 'won' && step !== 'claim') decisions++
          }
          expect(decisions).to.be.at.most(1)
          expect(flow.intervalS).to.be.within(before.intervalS, 30)
          expect(flow.expiresAtMs).to.be.at.least(before.expiresAtMs)
        }
      }),
      { numRuns: 2000 },
    )
  })
})
