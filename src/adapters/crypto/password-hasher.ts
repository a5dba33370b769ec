import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto'
import type { PasswordHasher } from '#application/ports/password-hasher.ts'
import { DomainError } from '#domain/errors.ts'

export type PasswordHasherSettings = {
  /** log2 of scrypt's N. */
  readonly logCost?: number
  /** Calls that may wait for one of the two places. */
  readonly maxWaiting?: number
}

type Parameters = { readonly ln: number; readonly salt: Buffer; readonly hash: Buffer }

const R = 8
const P = 1
const SALT_BYTES = 16
const HASH_BYTES = 32
/** One hash takes 128 MiB; more at once would let a login flood exhaust memory and the thread pool. */
const MAX_AT_ONCE = 2
/** A stored string must not choose an unbounded cost. */
const MAX_LOG_COST = 18
const PHC = /^\$scrypt\$ln=(\d{1,2}),r=8,p=1\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/

/**
 * scrypt with N = 2^17, r = 8, p = 1, on the thread pool.
 * @throws DomainError `service_unavailable` when too many wait already
 */
export function createPasswordHasher({ logCost = 17, maxWaiting = 64 }: PasswordHasherSettings = {}): PasswordHasher {
  const nobody: Parameters = { ln: logCost, salt: randomBytes(SALT_BYTES), hash: randomBytes(HASH_BYTES) }
  const waiting: (() => void)[] = []
  let running = 0

  async function inTurn(password: string, ln: number, salt: Buffer): Promise<Buffer> {
    if (running < MAX_AT_ONCE) running++
    else if (waiting.length >= maxWaiting) throw new DomainError('service_unavailable', {})
    else await new Promise<void>((resolve) => waiting.push(resolve))
    try {
      return await derive(password, ln, salt)
    } finally {
      // The place is handed on, not given up, so that a newcomer cannot take it in between.
      const next = waiting.shift()
      if (next === undefined) running--
      else next()
    }
  }

  return {
    async hash(password) {
      const salt = randomBytes(SALT_BYTES)
      const hash = await inTurn(password, logCost, salt)
      return `$scrypt$ln=${logCost},r=${R},p=${P}$${unpadded(salt)}$${unpadded(hash)}`
    },

    async verify(password, stored) {
      const known = stored === null ? null : parse(stored)
      // An unknown person costs as much as a known one, so the time does not say who has an account.
      const { ln, salt, hash } = known ?? nobody
      const same = timingSafeEqual(await inTurn(password, ln, salt), hash)
      return known !== null && same
    },
  }
}

function parse(stored: string): Parameters | null {
  const [, ln = '', salt = '', hash = ''] = PHC.exec(stored) ?? []
  const bytes = Buffer.from(hash, 'base64')
  if (bytes.length !== HASH_BYTES || Number(ln) < 1 || Number(ln) > MAX_LOG_COST) return null
  return { ln: Number(ln), salt: Buffer.from(salt, 'base64'), hash: bytes }
}

function derive(password: string, ln: number, salt: Buffer): Promise<Buffer> {
  const cost = 2 ** ln
  const options: ScryptOptions = { N: cost, r: R, p: P, maxmem: 256 * cost * R }
  // One spelling of a password: keyboards differ in how they compose accents (RFC 8265 §4.2.1).
  const normal = password.normalize('NFC')
  return new Promise((resolve, reject) => {
    scrypt(normal, salt, HASH_BYTES, options, (error, hash) => (error === null ? resolve(hash) : reject(error)))
  })
}

/** The PHC string format's base64 has no padding. */
function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('=', '')
}
