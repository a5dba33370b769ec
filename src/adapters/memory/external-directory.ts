import type { ExternalDirectory } from '#application/ports/external-directory.ts'
import type { ExternalRow, MemoryDatabase } from './database.ts'
import { ascending } from './ordering.ts'

/** Stands for every issuer in a block. */
const ANY_ISSUER = '*'

/** External people of one process. */
export function createMemoryExternalDirectory(database: MemoryDatabase): ExternalDirectory {
  const { externals, tokens } = database
  const keyOf = (email: string, issuer: string | null) => `${email} ${issuer ?? ANY_ISSUER}`
  const nobody = (email: string, issuer: string | null): ExternalRow => ({
    email,
    issuer: issuer ?? ANY_ISSUER,
    sub: null,
    groups: [],
    signedOnAtMs: null,
    blockedAtMs: null,
  })
  const rowOf = (email: string, issuer: string | null) => externals.get(keyOf(email, issuer)) ?? nobody(email, issuer)

  return {
    noteSignOn: ({ issuer, email, sub, groups }, atMs) =>
      database.run(() =>
        externals.set(keyOf(email, issuer), { ...rowOf(email, issuer), sub, groups, signedOnAtMs: atMs }),
      ),

    groups: (issuer, email) => database.run(() => rowOf(email, issuer).groups),

    setGroups: (issuer, email, groups) =>
      database.run(() => {
        const row = rowOf(email, issuer)
        if (row.signedOnAtMs === null) return false
        externals.set(keyOf(email, issuer), { ...row, groups })
        return true
      }),

    block: (email, issuer, atMs) =>
      database.run(() => externals.set(keyOf(email, issuer), { ...rowOf(email, issuer), blockedAtMs: atMs })),

    unblock: (email, issuer) =>
      database.run(() => {
        const row = rowOf(email, issuer)
        if (row.blockedAtMs === null) return false
        externals.set(keyOf(email, issuer), { ...row, blockedAtMs: null })
        return true
      }),

    isBlocked: (issuer, email) =>
      database.run(() => [issuer, null].some((one) => rowOf(email, one).blockedAtMs !== null)),

    emailsOf: (issuer, sub) =>
      database.run(() =>
        externals
          .rows()
          .filter((row) => row.issuer === issuer && row.sub === sub)
          .map(({ email }) => email)
          .toSorted(ascending),
      ),

    revokeTokens: (email, issuer, atMs) =>
      database.run(() =>
        tokens.rows().flatMap((row) => {
          const { id, tokenHash } = row
          const isTheirs =
            row.accountId === null && row.subjectEmail === email && (issuer === null || row.subjectIssuer === issuer)
          if (!isTheirs || row.revokedAtMs !== null || tokenHash === null) return []
          tokens.set(id, { ...row, tokenHash: null, revokedAtMs: atMs })
          return [{ id, tokenHash }]
        }),
      ),
  }
}
