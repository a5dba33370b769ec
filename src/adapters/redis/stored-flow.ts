import * as v from 'valibot'
import type { DeviceFlowState } from '#domain/device-flow-state.ts'
import { StoredSubject } from './stored-subject.ts'

const Decision = v.variant('status', [
  v.object({
    status: v.literal('pending'),
    claim: v.nullable(v.object({ owner: v.string(), untilMs: v.number() })),
  }),
  v.object({ status: v.literal('denied') }),
  v.object({
    status: v.literal('approved'),
    subject: StoredSubject,
    tokenId: v.string(),
    tokenHash: v.string(),
    workspaceId: v.nullable(v.string()),
    sealedToken: v.object({ v: v.literal(1), ephemeral: v.string(), box: v.string() }),
  }),
])

const Flow = v.object({
  deviceCodeHash: v.string(),
  clientId: v.string(),
  deviceLabel: v.string(),
  origin: v.object({ ip: v.string(), userAgent: v.nullable(v.string()) }),
  publicKey: v.string(),
  createdAtMs: v.number(),
  expiresAtMs: v.number(),
  intervalS: v.number(),
  lastPolledAtMs: v.nullable(v.number()),
  decision: Decision,
})

const Stored = v.pipe(v.string(), v.parseJson(), Flow)

/** The flow that `raw` holds under `hash`, or null when it is none: what comes back from a store is outside too. */
export function readFlow(raw: string, hash: string): DeviceFlowState | null {
  const read = v.safeParse(Stored, raw)
  return read.success && read.output.deviceCodeHash === hash ? read.output : null
}
