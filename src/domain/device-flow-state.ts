import type { Subject } from './subject.ts'

/** RFC 8628 §3.2 `expires_in`. */
export const DEVICE_FLOW_LIFETIME_S = 900
/** RFC 8628 §3.2 `interval`; the advertised and the enforced one are this constant. */
export const POLL_INTERVAL_S = 5
const SLOW_DOWN_STEP_S = 5
const MAX_INTERVAL_S = 30
/** Clients on drifting clocks poll a little early; refusing them kills their login. */
const DRIFT_MS = 750
/** How long an approve may hold a code while it mints. */
const CLAIM_LEASE_MS = 10_000
const PICK_UP_MS = 60_000
const DENIED_MS = 1_000

/** A minted token, sealed to the public key that the device code derives. Opaque to everything but the seal. */
export type SealedToken = { readonly v: 1; readonly ephemeral: string; readonly box: string }

/** Where a request came from, shown before consent and compared at pick-up. */
export type Origin = { readonly ip: string; readonly userAgent: string | null }

/** One RFC 8628 authorization request. Instants are epoch milliseconds (`…AtMs`), durations seconds (`…S`). */
export type DeviceFlowState = {
  /** SHA-256 of the device code, lowercase hex; the code itself is never stored. */
  readonly deviceCodeHash: string
  readonly clientId: string
  readonly deviceLabel: string
  readonly origin: Origin
  /** X25519 public key derived from the device code, base64url. */
  readonly publicKey: string
  readonly createdAtMs: number
  readonly expiresAtMs: number
  /** What the client must wait between polls; only ever grows (§3.5). */
  readonly intervalS: number
  readonly lastPolledAtMs: number | null
  readonly decision: Decision
}

export type Grant = {
  readonly subject: Subject
  readonly tokenId: string
  readonly tokenHash: string
  /** The workspace that was current at approval; losing it before pick-up voids the grant. */
  readonly workspaceId: string | null
  readonly sealedToken: SealedToken
}

export type Decision =
  | { readonly status: 'pending'; readonly claim: Claim | null }
  | { readonly status: 'denied' }
  | ({ readonly status: 'approved' } & Grant)

/** An approve in progress: it holds the code until `untilMs`, then the code is free again. */
export type Claim = { readonly owner: string; readonly untilMs: number }

export type PollOutcome =
  | { readonly kind: 'expired' }
  | { readonly kind: 'denied' }
  | { readonly kind: 'granted'; readonly grant: Grant }
  | { readonly kind: 'wait'; readonly code: 'authorization_pending' | 'slow_down'; readonly next: DeviceFlowState }

/**
 * What one poll by `clientId` at `nowMs` means (§3.5): expiry, then client, then the decision, then speed.
 * `slow_down` is returned, not thrown: the longer interval in `next` must be stored. Only a pending flow can
 * be too early, so a decision is never hidden. Another client's code is indistinguishable from an expired one.
 */
export function poll(flow: DeviceFlowState, clientId: string, nowMs: number): PollOutcome {
  if (nowMs >= flow.expiresAtMs || flow.clientId !== clientId) return { kind: 'expired' }
  const { decision } = flow
  if (decision.status === 'denied') return { kind: 'denied' }
  if (decision.status === 'approved') return { kind: 'granted', grant: decision }
  const early = flow.lastPolledAtMs !== null && nowMs < flow.lastPolledAtMs + flow.intervalS * 1000 - DRIFT_MS
  const intervalS = early ? Math.min(flow.intervalS + SLOW_DOWN_STEP_S, MAX_INTERVAL_S) : flow.intervalS
  const next = { ...flow, intervalS, lastPolledAtMs: nowMs }
  return { kind: 'wait', code: early ? 'slow_down' : 'authorization_pending', next }
}

/** Why a decision cannot be taken now; `next` is what to store when it can. */
export type DecideOutcome =
  | { readonly kind: 'expired_or_unknown' | 'already_resolved' | 'approve_in_progress' | 'state_lost' }
  | { readonly kind: 'won'; readonly next: DeviceFlowState }

/** pending → claimed: the first half of an approve. The expiry moves to the lease's end at the least. */
export function claim(flow: DeviceFlowState, owner: string, nowMs: number): DecideOutcome {
  const refused = undecidable(flow, nowMs)
  if (refused !== null) return refused
  const untilMs = nowMs + CLAIM_LEASE_MS
  return {
    kind: 'won',
    next: {
      ...flow,
      expiresAtMs: Math.max(flow.expiresAtMs, untilMs),
      decision: { status: 'pending', claim: { owner, untilMs } },
    },
  }
}

/** claimed → pending: what a failed approve leaves behind. Only the owner's claim is released. */
export function release(flow: DeviceFlowState, owner: string): DeviceFlowState | null {
  if (flow.decision.status !== 'pending' || flow.decision.claim?.owner !== owner) return null
  return { ...flow, decision: { status: 'pending', claim: null } }
}

/** claimed → approved: only for the claim's owner; the client then has at least a minute to pick up. */
export function approve(flow: DeviceFlowState, owner: string, grant: Grant, nowMs: number): DecideOutcome {
  if (flow.decision.status !== 'pending' || flow.decision.claim?.owner !== owner) return { kind: 'state_lost' }
  return {
    kind: 'won',
    next: {
      ...flow,
      expiresAtMs: Math.max(flow.expiresAtMs, nowMs + PICK_UP_MS),
      decision: { status: 'approved', ...grant },
    },
  }
}

/** pending → denied, unless an approve holds the code. */
export function deny(flow: DeviceFlowState, nowMs: number): DecideOutcome {
  const refused = undecidable(flow, nowMs)
  if (refused !== null) return refused
  return {
    kind: 'won',
    next: { ...flow, expiresAtMs: Math.max(flow.expiresAtMs, nowMs + DENIED_MS), decision: { status: 'denied' } },
  }
}

function undecidable(flow: DeviceFlowState, nowMs: number): Exclude<DecideOutcome, { kind: 'won' }> | null {
  if (nowMs >= flow.expiresAtMs) return { kind: 'expired_or_unknown' }
  if (flow.decision.status !== 'pending') return { kind: 'already_resolved' }
  const held = flow.decision.claim
  return held !== null && nowMs < held.untilMs ? { kind: 'approve_in_progress' } : null
}
