import { NONCE_TTL_MS, type NonceGuard, type NoncePurpose } from '#application/ports/nonce-guard.ts'
import type { Digest } from '#application/ports/secrets.ts'
import type { RedisLink } from './open-redis.ts'

export type NonceGuardSettings = { readonly prefix: string; readonly digest: Digest }

/** Used nonces shared by all replicas, by digest: a key must be neither long nor of a signer's choosing. */
export function createRedisNonceGuard(redis: RedisLink, { prefix, digest }: NonceGuardSettings): NonceGuard {
  const keyOf = (purpose: NoncePurpose, nonce: string) => `${prefix}nonce:${purpose}:${digest(nonce)}`
  return {
    async spend(purpose, nonce) {
      const key = keyOf(purpose, nonce)
      return (await redis.ask((commands) => commands.set(key, '1', 'PX', NONCE_TTL_MS, 'NX'))) !== null
    },
    async giveBack(purpose, nonce) {
      await redis.ask((commands) => commands.del(keyOf(purpose, nonce)))
    },
  }
}
