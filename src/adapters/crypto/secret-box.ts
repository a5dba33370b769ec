import { hkdfSync } from 'node:crypto'
import type { SecretBox } from '#application/ports/secrets.ts'
import { closeBox, openBox } from './aes-box.ts'

export type BoxKey = { readonly kid: string; readonly key: string }

const VERSION = 'v1'

/** Seals with the first key and opens with any of them, so that keys can be rotated. */
export function createSecretBox(keys: readonly BoxKey[]): SecretBox {
  const derived = new Map(keys.map(({ kid, key }) => [label(kid), derive(key)]))
  const [first] = keys
  if (first === undefined) throw new TypeError('a secret box needs a key')
  const sealing = derive(first.key)
  return {
    seal: (plain) => `${VERSION}.${label(first.kid)}.${closeBox(sealing, plain, label(first.kid))}`,
    open(sealed) {
      const [version, kid, box, ...rest] = sealed.split('.')
      if (version !== VERSION || kid === undefined || box === undefined || rest.length > 0) return null
      const key = derived.get(kid)
      return key === undefined ? null : openBox(key, box, kid)
    },
  }
}

/** A key id may hold any character; the separator must not show up in it. */
function label(kid: string): string {
  return Buffer.from(kid).toString('base64url')
}

/** A key of its own for this purpose: the configured one also signs. */
function derive(key: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', key, '', 'latchkey secret box v1', 32))
}
