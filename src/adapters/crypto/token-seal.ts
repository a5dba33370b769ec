import {
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
} from 'node:crypto'
import type { TokenSeal } from '#application/ports/secrets.ts'
import { closeBox, openBox } from './aes-box.ts'

/** PKCS #8 wrapping of a raw X25519 private key (RFC 8410 §7). */
const PKCS8_X25519 = Buffer.from('302e020100300506032b656e04220420', 'hex')
const RAW_KEY = /^[A-Za-z0-9_-]{43}$/

/**
 * Seals a minted token so that whoever dumps every store gets nothing: the private key exists only as long as
 * somebody shows the device code it is derived from.
 */
export function createTokenSeal(): TokenSeal {
  return {
    publicKeyOf: (deviceCode) => rawPublicKey(deviceKey(deviceCode)),

    seal(publicKey, token) {
      const pair = generateKeyPairSync('x25519')
      const ephemeral = rawPublicKey(pair.privateKey)
      const key = boxKey(pair.privateKey, publicKeyFrom(publicKey), ephemeral, publicKey)
      return { v: 1, ephemeral, box: closeBox(key, token, ephemeral) }
    },

    open(sealed, deviceCode) {
      if (sealed.v !== 1 || !RAW_KEY.test(sealed.ephemeral)) return null
      const own = deviceKey(deviceCode)
      try {
        const key = boxKey(own, publicKeyFrom(sealed.ephemeral), sealed.ephemeral, rawPublicKey(own))
        return openBox(key, sealed.box, sealed.ephemeral)
      } catch (error) {
        // A point of small order makes the shared secret zero, which OpenSSL refuses (RFC 7748 §6.1).
        if (error instanceof Error) return null
        throw error
      }
    },
  }
}

function deviceKey(deviceCode: string): KeyObject {
  const raw = Buffer.from(hkdfSync('sha256', deviceCode, '', 'latchkey device code x25519 v1', 32))
  return withoutStackTraces(() =>
    createPrivateKey({ key: Buffer.concat([PKCS8_X25519, raw]), format: 'der', type: 'pkcs8' }),
  )
}

/** Node asks whether its argument is a key by catching an error, whose stack trace would cost as much as the curve. */
function withoutStackTraces<T>(work: () => T): T {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  try {
    return work()
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}

function rawPublicKey(privateKey: KeyObject): string {
  const { x } = createPublicKey(privateKey).export({ format: 'jwk' })
  if (x === undefined) throw new Error('an X25519 key has no x')
  return x
}

function publicKeyFrom(raw: string): KeyObject {
  return createPublicKey({ key: { kty: 'OKP', crv: 'X25519', x: raw }, format: 'jwk' })
}

/** Both public keys go into the derivation, so a box cannot be replayed under another pair. */
function boxKey(privateKey: KeyObject, publicKey: KeyObject, ephemeral: string, recipient: string): Uint8Array {
  const shared = diffieHellman({ privateKey, publicKey })
  return new Uint8Array(hkdfSync('sha256', shared, `${ephemeral}.${recipient}`, 'latchkey token seal v1', 32))
}
