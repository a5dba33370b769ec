import type { Clock } from '#application/ports/clock.ts'
import { NONCE_TTL_MS, type NonceGuard, type NoncePurpose } from '#application/ports/nonce-guard.ts'
import { DomainError } from '#domain/errors.ts'
import { ExpiringMap } from './expiring-map.ts'

const MAX_NONCES = 100_000

/** Used nonces of one process. Full, it refuses: forgetting one would let it be used again. */
export function createMemoryNonceGuard({ now }: { readonly now: Clock }): NonceGuard {
  const used = new ExpiringMap<true>(now, MAX_NONCES)
  const keyOf = (purpose: NoncePurpose, nonce: string) => `${purpose}:${nonce}`
  return {
    async spend(purpose, nonce) {
      const key = keyOf(purpose, nonce)
      if (used.get(key) !== undefined) return false
      if (!used.hasRoom(key)) throw new DomainError('service_unavailable', {})
      used.set(key, true, now() + NONCE_TTL_MS)
      return true
    },
    giveBack: async (purpose, nonce) => used.delete(keyOf(purpose, nonce)),
  }
}
