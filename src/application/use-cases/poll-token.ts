import { type DeviceFlowState, type Grant, poll } from '#domain/device-flow-state.ts'
import { DomainError } from '#domain/errors.ts'
import { isExpired, kindOfPrefix, type StoredToken } from '#domain/oauth-access-token.ts'
import type { Subject } from '#domain/subject.ts'
import { type Account, defaultWorkspaceId, type Membership } from '#domain/workspace.ts'
import type { AccountDirectory, MembershipDirectory } from '../ports/account-directory.ts'
import type { AuditLog } from '../ports/audit-log.ts'
import type { Clock } from '../ports/clock.ts'
import type { DeviceFlowStore } from '../ports/device-flow-store.ts'
import type { ExternalDirectory } from '../ports/external-directory.ts'
import type { Digest, TokenSeal } from '../ports/secrets.ts'
import type { TokenCache } from '../ports/token-cache.ts'
import type { TokenStore } from '../ports/token-store.ts'
import type { UnitOfWork } from '../ports/unit-of-work.ts'

type Needs = {
  flows: DeviceFlowStore
  tokens: TokenStore
  cache: TokenCache
  accounts: AccountDirectory
  memberships: MembershipDirectory
  externals: ExternalDirectory
  audit: AuditLog
  unitOfWork: UnitOfWork
  seal: TokenSeal
  digest: Digest
  now: Clock
}

/** A token as handed over, once. */
export type PickedUp = {
  readonly token: string
  readonly tokenId: string
  readonly subject: Subject
  readonly scopes: readonly string[]
  readonly expiresAtMs: number
  /** Whole seconds left at pick-up. */
  readonly expiresInS: number
  readonly account: Account | null
  readonly memberships: readonly Membership[]
  readonly defaultWorkspaceId: string | null
}

export type PollToken = (input: {
  readonly deviceCode: string
  readonly clientId: string
  readonly ip: string
}) => Promise<PickedUp>

/**
 * RFC 8628 §3.4–3.5: trade an approved device code for its bearer token, at most once. Everything that can fail
 * is checked before the flow is claimed, so a fault of ours never costs a login.
 * @throws DomainError `authorization_pending` | `slow_down` | `access_denied` | `expired_token`
 */
export function makePollToken(needs: Needs): PollToken {
  const { flows, tokens, cache, accounts, memberships, externals, audit, unitOfWork, seal, digest, now } = needs
  return async ({ deviceCode, clientId, ip }) => {
    const hash = digest(deviceCode)
    const seen = await flows.update(hash, (flow) => {
      const outcome = poll(flow, clientId, now())
      const write = outcome.kind === 'wait' ? outcome.next : outcome.kind === 'denied' ? ('remove' as const) : 'keep'
      return { result: { outcome, flow }, write }
    })
    if (seen === null || seen.outcome.kind === 'expired') throw new DomainError('expired_token', {})
    const { outcome, flow } = seen
    if (outcome.kind === 'denied') throw new DomainError('access_denied', {})
    if (outcome.kind === 'wait') throw new DomainError(outcome.code, { intervalS: outcome.next.intervalS })

    const { grant } = outcome
    const row = await tokens.findByHash(grant.tokenHash)
    const handover = row === null ? null : await prepare(row, grant, deviceCode)
    if (handover === null) return refuse(flow, grant, row !== null)
    // The rows roll back for every poll but the one that takes the grant, and a fault before that costs nobody a login.
    await unitOfWork(async () => {
      await note(flow, grant, ip)
      if (!(await take(flow, grant))) throw new DomainError('expired_token', {})
    })
    return handover
  }

  /** Null when row, account or membership ended between approval and now. */
  async function prepare(row: StoredToken, grant: Grant, deviceCode: string): Promise<PickedUp | null> {
    const token = seal.open(grant.sealedToken, deviceCode)
    const kind = kindOfPrefix(row.prefix)
    if (token === null || kind === null || isExpired(row, now())) return null
    const issued = {
      token,
      tokenId: row.id,
      subject: grant.subject,
      scopes: kind.scopes,
      expiresAtMs: row.expiresAtMs,
      expiresInS: Math.floor((row.expiresAtMs - now()) / 1000),
    }
    if (grant.subject.type === 'external_sso') {
      if (await externals.isBlocked(grant.subject.issuer, grant.subject.email)) return null
      return { ...issued, account: null, memberships: [], defaultWorkspaceId: null }
    }
    const account = await accounts.find(grant.subject.accountId)
    if (account?.status !== 'active') return null
    const joined = await memberships.list(account.id)
    const { workspaceId } = grant
    if (workspaceId !== null && !joined.some((one) => one.workspaceId === workspaceId)) return null
    return { ...issued, account, memberships: joined, defaultWorkspaceId: workspaceId ?? defaultWorkspaceId(joined) }
  }

  /** True for the one poll that consumes the grant. */
  async function take(flow: DeviceFlowState, grant: Grant): Promise<boolean> {
    const won = await flows.update(flow.deviceCodeHash, ({ decision }) =>
      decision.status === 'approved' && decision.tokenId === grant.tokenId
        ? { result: true, write: 'remove' }
        : { result: false, write: 'keep' },
    )
    return won === true
  }

  /** A row that no longer answers to the grant's digest was revoked or rotated since, and is not ours to end. */
  async function refuse(flow: DeviceFlowState, grant: Grant, ours: boolean): Promise<never> {
    await unitOfWork(async () => {
      if (!ours || (await tokens.revoke(grant.tokenId, now(), grant.tokenHash)) === null) return
      const accountId = grant.subject.type === 'account' ? grant.subject.accountId : null
      const facts = { tokenId: grant.tokenId, subjectType: grant.subject.type, accountId, reason: 'subject_ended' }
      await audit.append({ event: 'oauth.token_revoked', facts }, now())
    })
    await cache.invalidate([grant.tokenHash])
    // Told once, as a denial is: another poll of the same instant finds the code used up.
    throw new DomainError((await take(flow, grant)) ? 'access_denied' : 'expired_token', {})
  }

  async function note(flow: DeviceFlowState, grant: Grant, ip: string): Promise<void> {
    const { tokenId } = grant
    if (flow.origin.ip !== ip) {
      const facts = { tokenId, creationIp: flow.origin.ip, pollIp: ip }
      await audit.append({ event: 'oauth.device_code_cross_ip_poll', facts }, now())
    }
    await audit.append({ event: 'oauth.token_picked_up', facts: { tokenId, clientId: flow.clientId, ip } }, now())
  }
}
