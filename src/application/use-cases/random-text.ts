import type { RandomBytes } from '../ports/secrets.ts'

/** `bytes` random bytes as base64url without padding. */
export function randomText(randomBytes: RandomBytes, bytes: number): string {
  return btoa(String.fromCharCode(...randomBytes(bytes)))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
}
