import { approve, claim, type DeviceFlowState, type Grant, release } from '#domain/device-flow-state.ts'
import { assertMintable, issuerOf } from '#domain/oauth-access-token.ts'
import type { Subject } from '#domain/subject.ts'
import { ACCOUNT_TOKEN, formatToken, TOKEN_RANDOM_BYTES } from '#domain/token-kind.ts'
import { expiryOf } from '#domain/ttl-policy.ts'
import { type Account, defaultWorkspaceId } from '#domain/workspace.ts'
import type { MembershipDirectory } from '../ports/account-directory.ts'
import type { AuditLog } from '../ports/audit-log.ts'
import type { Clock } from '../ports/clock.ts'
import type { DeviceFlowStore } from '../ports/device-flow-store.ts'
import type { Digest, NewId, RandomBytes, TokenSeal } from '../ports/secrets.ts'
import type { TokenCache } from '../ports/token-cache.ts'
import type { TokenStore } from '../ports/token-store.ts'
import type { UnitOfWork } from '../ports/unit-of-work.ts'
import { decideFlow, requireFlowHash } from './decide-flow.ts'

type Needs = {
  flows: DeviceFlowStore
  tokens: TokenStore
  cache: TokenCache
  memberships: MembershipDirectory
  audit: AuditLog
  unitOfWork: UnitOfWork
  seal: TokenSeal
  digest: Digest
  randomBytes: RandomBytes
  newId: NewId
  now: Clock
  settings: { readonly tokenTtlDays: number }
}

export type ApproveDevice = (input: {
  readonly account: Account
  readonly userCode: string
  readonly ip: string
}) => Promise<void>

const MINT_TIMEOUT_MS = 5000

/**
 * A signed-in person lets the device in: claim the code, mint the row, seal the token into the flow. The race is
 * settled at the claim, before anything is minted, so a lost race never rotates a live token.
 * @throws DomainError `expired_or_unknown` | `already_resolved` | `approve_in_progress` | `state_lost`
 */
export function makeApproveDevice(needs: Needs): ApproveDevice {
  const { flows, tokens, cache, memberships, audit, unitOfWork, seal, digest, randomBytes, newId, now, settings } =
    needs
  return async ({ account, userCode, ip }) => {
    const hash = await requireFlowHash(flows, userCode)
    const owner = newId()
    const flow = await decideFlow(flows, hash, (seen) => claim(seen, owner, now()))
    try {
      const { grant, rotatedHash } = await mint(flow, account, ip)
      if (rotatedHash !== null) await cache.invalidate([rotatedHash])
      await decideFlow(flows, hash, (seen) => approve(seen, owner, grant, now()))
    } catch (error) {
      // Whatever failed, the person can try again at once: the code goes back to pending.
      await flows.update(hash, (seen) => ({ result: null, write: release(seen, owner) ?? 'keep' }))
      throw error
    }
  }

  async function mint(flow: DeviceFlowState, account: Account, ip: string) {
    const subject: Subject = { type: 'account', accountId: account.id, email: account.email }
    assertMintable(ACCOUNT_TOKEN, subject, ACCOUNT_TOKEN.scopes)
    const token = formatToken(ACCOUNT_TOKEN, randomBytes(TOKEN_RANDOM_BYTES))
    const tokenHash = digest(token)
    const expiresAtMs = expiryOf(now(), settings.tokenTtlDays)
    return unitOfWork(
      async () => {
        const workspaceId = defaultWorkspaceId(await memberships.list(account.id))
        const { id, rotatedHash } = await tokens.mint({
          id: newId(),
          subject,
          clientId: flow.clientId,
          deviceLabel: flow.deviceLabel,
          prefix: ACCOUNT_TOKEN.prefix,
          tokenHash,
          createdAtMs: now(),
          expiresAtMs,
        })
        await audit.append(
          {
            event: 'oauth.device_flow_approved',
            facts: {
              tokenId: id,
              subjectType: 'account',
              subjectEmail: account.email,
              subjectIssuer: issuerOf(subject),
              accountId: account.id,
              tenantId: workspaceId,
              clientId: flow.clientId,
              deviceLabel: flow.deviceLabel,
              scopes: ACCOUNT_TOKEN.scopes,
              expiresAt: new Date(expiresAtMs).toISOString(),
              rotated: rotatedHash !== null,
              ip,
            },
          },
          now(),
        )
        const sealedToken = seal.seal(flow.publicKey, token)
        const grant: Grant = { subject, tokenId: id, tokenHash, workspaceId, sealedToken }
        return { grant, rotatedHash }
      },
      { timeoutMs: MINT_TIMEOUT_MS },
    )
  }
}
