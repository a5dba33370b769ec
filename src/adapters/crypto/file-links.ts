import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'
import type { FileLinks } from '#application/ports/file-links.ts'
import type { BoxKey } from './secret-box.ts'

/** Signs with the first key and verifies with any of them, so that keys can be rotated while links are about. */
export function createFileLinks(keys: readonly BoxKey[]): FileLinks {
  const derived = keys.map(({ key }) => derive(key))
  const [signing] = derived
  if (signing === undefined) throw new TypeError('signing links needs a key')
  return {
    sign(fileId, expiresAtMs) {
      const expires = String(Math.ceil(expiresAtMs / 1000))
      return `/files/${fileId}?expires=${expires}&sign=${macOf(signing, fileId, expires).toString('base64url')}`
    },
    verify(fileId, { expires = '', sign = '' }, nowMs) {
      if (!/^\d{1,12}$/.test(expires) || nowMs >= Number(expires) * 1000) return false
      const given = Buffer.from(sign, 'base64url')
      // Without a way out at the first that fits: how long it takes tells nothing.
      return derived.map((key) => isSame(macOf(key, fileId, expires), given)).includes(true)
    },
  }
}

function macOf(key: Uint8Array, fileId: string, expires: string): Buffer {
  return createHmac('sha256', key).update(`file\n${fileId}\n${expires}`).digest()
}

function isSame(expected: Buffer, given: Buffer): boolean {
  return expected.length === given.length && timingSafeEqual(expected, given)
}

/** A key of its own for this purpose: what one signs must mean nothing elsewhere. */
function derive(key: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', key, '', 'latchkey file links v1', 32))
}
