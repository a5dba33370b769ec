import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'

const CIPHER = 'aes-256-gcm'
const IV_BYTES = 12
const TAG_BYTES = 16

/** Seals `plain` with AES-256-GCM under a fresh nonce; `bound` is authenticated along with it. Base64url. */
export function closeBox(key: Uint8Array, plain: string, bound: string): string {
  const iv = randomBytes(IV_BYTES)
  const cipher = createCipheriv(CIPHER, key, iv, { authTagLength: TAG_BYTES }).setAAD(Buffer.from(bound))
  return Buffer.concat([iv, cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString('base64url')
}

/** What `closeBox` sealed, or null when key, box or `bound` differ by a bit. */
export function openBox(key: Uint8Array, box: string, bound: string): string | null {
  const bytes = Buffer.from(box, 'base64url')
  if (bytes.length < IV_BYTES + TAG_BYTES) return null
  const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES })
  decipher.setAAD(Buffer.from(bound)).setAuthTag(bytes.subarray(-TAG_BYTES))
  const plain = decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES))
  try {
    return Buffer.concat([plain, decipher.final()]).toString('utf8')
  } catch (error) {
    // OpenSSL says no more of a failed tag than this; every other input was checked above.
    if (error instanceof Error) return null
    throw error
  }
}
