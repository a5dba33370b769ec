import { expect } from 'chai'
import fc from 'fast-check'
import type { DeviceFlowStore } from '#application/ports/device-flow-store.ts'
import { DomainError } from '#domain/errors.ts'
import { type Act, type ModelFlow, modelAtOnce, modelStart } from '../support/device-flow-model.ts'
import { aWorld, type World } from '../support/world.ts'

export type OpenFlows = (now: () => number) => Promise<{ readonly store: DeviceFlowStore; close(): Promise<void> }>

const CLIENTS = ['difyctl', 'latchkey'] as const
const ORIGIN = { ip: '203.0.113.7', userAgent: null }
/** Around every edge there is: the drift that is forgiven, intervals, decisions near the end, the end. */
const STEPS_MS = [1, 749, 1_000, 4_249, 4_250, 5_000, 9_250, 14_250, 29_250, 60_000, 600_000, 839_999, 899_000, 900_000]

type Move =
  | { readonly kind: 'start'; readonly client: string }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'act'; readonly flow: number; readonly acts: readonly Act[] }

const client = fc.constantFrom(...CLIENTS)
const decision = fc.constantFrom<Act>({ kind: 'approve' }, { kind: 'deny' })
const poll = client.map((one): Act => ({ kind: 'poll', client: one }))
const flow = fc.nat({ max: 2 })
const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 1, arbitrary: client.map((one): Move => ({ kind: 'start', client: one })) },
  { weight: 4, arbitrary: fc.constantFrom(...STEPS_MS).map((ms): Move => ({ kind: 'wait', ms })) },
  {
    weight: 6,
    arbitrary: fc
      .tuple(flow, fc.oneof(poll, poll, decision, fc.constantFrom<Act>({ kind: 'look' }, { kind: 'revoke' })))
      .map(([at, act]): Move => ({ kind: 'act', flow: at, acts: [act] })),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(flow, fc.array(fc.oneof(poll, decision), { minLength: 2, maxLength: 4 }))
      .map(([at, acts]): Move => ({ kind: 'act', flow: at, acts })),
  },
)

type Live = {
  readonly deviceCode: string
  readonly userCode: string
  states: readonly ModelFlow[]
  tokenId: string | null
}

/** E30: whatever is done to flows, alone and at once, while time passes: a model of a page explains all that is heard. */
export function deviceFlowModel(name: string, open: OpenFlows, numRuns: number): void {
  describe(`the device flow against its model: ${name}`, function () {
    this.timeout(120_000)
    let world: World
    let close: () => Promise<void>
    let labels = 0
    before(async () => {
      // The store tells the time by the world's clock, which does not exist before the world does.
      let now = () => 0
      const opened = await open(() => now())
      world = await aWorld({ change: (ports) => ({ ...ports, flows: opened.store }) })
      now = world.clock.now
      close = opened.close
    })
    after(async () => {
      await world.close()
      await close()
    })

    async function start(clientId: string): Promise<Live> {
      const label = `device ${labels++}`
      const { deviceCode, userCode } = await world.cases.startDeviceFlow({
        clientId,
        deviceLabel: label,
        origin: ORIGIN,
      })
      return { deviceCode, userCode, states: [modelStart(clientId, world.clock.now())], tokenId: null }
    }

    const account = () => world.cases.findAccount('owner@example.test')

    async function carryOut(live: Live, act: Act): Promise<string> {
      const { cases, ports } = world
      switch (act.kind) {
        case 'poll': {
          const { tokenId } = await cases.pollToken({
            deviceCode: live.deviceCode,
            clientId: act.client,
            ip: ORIGIN.ip,
          })
          expect(tokenId).to.be.a('string')
          return 'token'
        }
        case 'approve': {
          const person = await account()
          if (person === null) throw new Error('nobody set this world up')
          await cases.approveDevice({ account: person, userCode: live.userCode, ip: ORIGIN.ip })
          return 'done'
        }
        case 'deny':
          await cases.denyDevice({ accountId: world.owner.accountId, userCode: live.userCode, ip: ORIGIN.ip })
          return 'done'
        case 'look': {
          const found = await cases.lookUpUserCode(live.userCode)
          return found.kind === 'pending' ? `pending ${found.remainingS}` : found.kind
        }
        case 'revoke': {
          const found = await ports.flows.find(ports.digest(live.deviceCode))
          if (found?.decision.status === 'approved')
            await ports.tokens.revoke(found.decision.tokenId, world.clock.now())
          return 'done'
        }
      }
    }

    async function hear(live: Live, act: Act): Promise<string> {
      try {
        return await carryOut(live, act)
      } catch (error) {
        if (!(error instanceof DomainError)) throw error
        const { code, facts } = error
        if (['already_resolved', 'approve_in_progress', 'state_lost'].includes(code)) return 'lost'
        return 'intervalS' in facts ? `${code} ${facts.intervalS}` : code
      }
    }

    it(`E30 ${numRuns} random interleavings are all explained`, async () => {
      const property = fc.asyncProperty(
        client,
        fc.array(move, { minLength: 1, maxLength: 25 }),
        async (first, moves) => {
          const flows = [await start(first)]
          for (const one of moves) {
            if (one.kind === 'start') flows.push(await start(one.client))
            else if (one.kind === 'wait') world.clock.advance(one.ms)
            else {
              const live = flows[one.flow % flows.length]
              if (live === undefined) throw new Error('no flow')
              const said = await Promise.all(one.acts.map((act) => hear(live, act)))
              const nowMs = world.clock.now()
              const explained = live.states.flatMap((state) => modelAtOnce(state, one.acts, said, nowMs))
              expect(explained, `${JSON.stringify(live.states)}\n${JSON.stringify(one.acts)}\n${said.join(' | ')}`).to
                .not.be.empty
              live.states = explained
            }
          }
        },
      )
      await fc.assert(property, { numRuns })
    })
  })
}
