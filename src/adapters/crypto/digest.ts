import { createHash, timingSafeEqual } from 'node:crypto'

/** SHA-256 of `secret`, lowercase hex. Unsalted: for secrets with at least 112 bits of entropy only. */
export function sha256Hex(secret: string): string {
  return createHash('sha256').update(secret).digest('hex')
}

/** Whether two secrets are the same. Digests are compared, so neither content nor length shows in the time. */
export function sameSecret(a: string, b: string): boolean {
  return timingSafeEqual(createHash('sha256').update(a).digest(), createHash('sha256').update(b).digest())
}
