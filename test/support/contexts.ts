import { randomBytes, randomUUID } from 'node:crypto'
import type { AuthContext } from '#domain/auth-context.ts'
import { NOW_MS } from './builders.ts'

/** An account's context as resolved from the database, named for the cache. */
export function aContext(overrides: Partial<AuthContext> = {}): AuthContext {
  const accountId = randomUUID()
  return {
    subject: { type: 'account', accountId, email: 'ada@example.com' },
    clientId: 'difyctl',
    scopes: ['full'],
    tokenId: randomUUID(),
    tokenHash: randomBytes(32).toString('hex'),
    source: 'oauth_account',
    expiresAtMs: NOW_MS + 14 * 86_400_000,
    account: { id: accountId, email: 'ada@example.com', name: 'Ada', status: 'active' },
    memberships: [
      { workspaceId: randomUUID(), name: 'Acme', status: 'normal', role: 'owner', current: true, createdAtMs: NOW_MS },
    ],
    verifiedWorkspaces: {},
    cacheEntryId: randomUUID(),
    ...overrides,
  }
}
