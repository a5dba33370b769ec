import { approve, claim, type DeviceFlowState, type Grant, release } from '#domain/device-flow-state.ts'
import { assertMintable, issuerOf } from '#domain/oauth-access-token.ts'
import type { Subject } from '#domain/subject.ts'
import { formatToken, TOKEN_RANDOM_BYTES, type TokenKind } from '#domain/token-kind.ts'
import { expiryOf } from '#domain/ttl-policy.ts'
import type { AuditLog } from '../ports/audit-log.ts'
import type { Clock } from '../ports/clock.ts'
import type { DeviceFlowStore } from '../ports/device-flow-store.ts'
import type { Digest, NewId, RandomBytes, TokenSeal } from '../ports/secrets.ts'
import type { TokenCache } from '../ports/token-cache.ts'
import type { TokenStore } from '../ports/token-store.ts'
import type { UnitOfWork } from '../ports/unit-of-work.ts'
import { decideFlow } from './decide-flow.ts'

export type GrantFlowNeeds = {
  flows: DeviceFlowStore
  tokens: TokenStore
  cache: TokenCache
  audit: AuditLog
  unitOfWork: UnitOfWork
  seal: TokenSeal
  digest: Digest
  randomBytes: RandomBytes
  newId: NewId
  now: Clock
  settings: { readonly tokenTtlDays: number }
}

export type GrantFlow = (input: {
  readonly flowHash: string
  readonly kind: TokenKind
  readonly subject: Subject
  /** Asked within the mint's transaction. */
  readonly workspaceId: () => Promise<string | null>
  readonly ip: string
}) => Promise<void>

const MINT_TIMEOUT_MS = 5000

/**
 * Lets the device in: claim the code, mint the row, seal the token into the flow. The race is settled at the claim,
 * before anything is minted, so a lost race never rotates a live token.
 * @throws DomainError `expired_or_unknown` | `already_resolved` | `approve_in_progress` | `state_lost`
 */
export function makeGrantFlow(needs: GrantFlowNeeds): GrantFlow {
  const { flows, tokens, cache, audit, unitOfWork, seal, digest, randomBytes, newId, now, settings } = needs
  return async (input) => {
    const { flowHash } = input
    const owner = newId()
    const flow = await decideFlow(flows, flowHash, (seen) => claim(seen, owner, now()))
    try {
      const { grant, rotatedHash } = await mint(flow, input)
      if (rotatedHash !== null) await cache.invalidate([rotatedHash])
      await decideFlow(flows, flowHash, (seen) => approve(seen, owner, grant, now()))
    } catch (error) {
      // Whatever failed, the person can try again at once: the code goes back to pending.
      await flows.update(flowHash, (seen) => ({ result: null, write: release(seen, owner) ?? 'keep' }))
      throw error
    }
  }

  async function mint(flow: DeviceFlowState, { kind, subject, workspaceId, ip }: Parameters<GrantFlow>[0]) {
    assertMintable(kind, subject, kind.scopes)
    const token = formatToken(kind, randomBytes(TOKEN_RANDOM_BYTES))
    const tokenHash = digest(token)
    const expiresAtMs = expiryOf(now(), settings.tokenTtlDays)
    return unitOfWork(
      async () => {
        const currentWorkspaceId = await workspaceId()
        const { id, rotatedHash } = await tokens.mint({
          id: newId(),
          subject,
          clientId: flow.clientId,
          deviceLabel: flow.deviceLabel,
          prefix: kind.prefix,
          tokenHash,
          createdAtMs: now(),
          expiresAtMs,
        })
        await audit.append(
          {
            event: 'oauth.device_flow_approved',
            facts: {
              tokenId: id,
              subjectType: subject.type,
              subjectEmail: subject.email,
              subjectIssuer: issuerOf(subject),
              accountId: subject.type === 'account' ? subject.accountId : null,
              tenantId: currentWorkspaceId,
              clientId: flow.clientId,
              deviceLabel: flow.deviceLabel,
              scopes: kind.scopes,
              expiresAt: new Date(expiresAtMs).toISOString(),
              rotated: rotatedHash !== null,
              ip,
            },
          },
          now(),
        )
        const sealedToken = seal.seal(flow.publicKey, token)
        const grant: Grant = { subject, tokenId: id, tokenHash, workspaceId: currentWorkspaceId, sealedToken }
        return { grant, rotatedHash }
      },
      { timeoutMs: MINT_TIMEOUT_MS },
    )
  }
}
