import { hash, timingSafeEqual } from 'node:crypto'

/** SHA-256 of `secret`, lowercase hex. Unsalted: for secrets with at least 112 bits of entropy only. */
export function sha256Hex(secret: string): string {
  return hash('sha256', secret, 'hex')
}

/** Whether two secrets are the same. Digests are compared, so neither content nor length shows in the time. */
export function sameSecret(a: string, b: string): boolean {
  return timingSafeEqual(hash('sha256', a, 'buffer'), hash('sha256', b, 'buffer'))
}
