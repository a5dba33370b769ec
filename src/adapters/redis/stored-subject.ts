import * as v from 'valibot'

/** A person behind a token, as read back from Redis. */
export const StoredSubject = v.variant('type', [
  v.object({ type: v.literal('account'), accountId: v.string(), email: v.string() }),
  v.object({ type: v.literal('external_sso'), email: v.string(), issuer: v.string() }),
])
