import type { Scope } from './scope.ts'
import type { SubjectType } from './subject.ts'

/** What a token's prefix says about it. Scopes come from here, never from the database. */
export type TokenKind = {
  readonly prefix: string
  readonly subjectType: SubjectType
  readonly source: string
  readonly scopes: readonly Scope[]
}

export const ACCOUNT_TOKEN: TokenKind = {
  prefix: 'dfoa_',
  subjectType: 'account',
  source: 'oauth_account',
  scopes: ['full'],
}

export const EXTERNAL_TOKEN: TokenKind = {
  prefix: 'dfoe_',
  subjectType: 'external_sso',
  source: 'oauth_external_sso',
  scopes: ['apps:run', 'apps:read:permitted'],
}

/**
 * The closed set of token kinds.
 * @throws Error when two kinds share a prefix: the prefix alone decides what a token may do.
 */
export function tokenKindRegistry(kinds: readonly TokenKind[]): readonly TokenKind[] {
  const prefixes = new Set(kinds.map((kind) => kind.prefix))
  if (prefixes.size !== kinds.length) throw new Error('two token kinds share a prefix')
  return kinds
}

export const TOKEN_KINDS = tokenKindRegistry([ACCOUNT_TOKEN, EXTERNAL_TOKEN])

/** Random bytes in a token; the last four of the 32 are the checksum. */
export const TOKEN_RANDOM_BYTES = 28

const BODY_LENGTH = 43

/** Writes the token for `random` (28 bytes): prefix, then base64url of the random bytes and their CRC-32. */
export function formatToken(kind: TokenKind, random: Uint8Array): string {
  if (random.length !== TOKEN_RANDOM_BYTES) throw new Error('a token takes 28 random bytes')
  const body = new Uint8Array(32)
  body.set(random)
  new DataView(body.buffer).setUint32(TOKEN_RANDOM_BYTES, checksum(kind.prefix, random))
  return kind.prefix + encodeBase64Url(body)
}

/** The kind of a well-formed token, or null: a typo, a truncated paste or noise costs no I/O. */
export function parseTokenKind(token: string): TokenKind | null {
  const kind = TOKEN_KINDS.find(({ prefix }) => token.startsWith(prefix))
  if (kind === undefined) return null
  return decodeBody(token, kind.prefix.length) && statedChecksum() === checksum(kind.prefix, decoded) ? kind : null
}

function encodeBase64Url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const SIX_BITS = Int8Array.from({ length: 128 }, (_, code) => ALPHABET.indexOf(String.fromCharCode(code)))

/** Of the token being read. One for all, since nobody waits in between: a new one each costs as much as the reading. */
const decoded = new Uint8Array(32)

/** Decodes 43 letters of base64url from `start` on, when they are all there is. By hand: it runs for every request. */
function decodeBody(token: string, start: number): boolean {
  if (token.length !== start + BODY_LENGTH) return false
  let held = 0
  let bits = 0
  let filled = 0
  for (let at = start; at < token.length; at++) {
    const six = SIX_BITS[token.charCodeAt(at)] ?? -1
    if (six < 0) return false
    held = (held << 6) | six
    bits += 6
    if (bits < 8) continue
    bits -= 8
    decoded[filled++] = (held >> bits) & 0xff
  }
  return true
}

function statedChecksum(): number {
  let stated = 0
  for (let at = TOKEN_RANDOM_BYTES; at < decoded.length; at++) stated = (stated << 8) | (decoded[at] ?? 0)
  return stated >>> 0
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
  return crc >>> 0
})

/** CRC-32 (IEEE) over prefix and random part (the first 28 bytes of `bytes`), so that a token moved under the other prefix is refused too. */
function checksum(prefix: string, bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (let at = 0; at < prefix.length; at++) crc = step(crc, prefix.charCodeAt(at))
  for (let at = 0; at < TOKEN_RANDOM_BYTES; at++) crc = step(crc, bytes[at] ?? 0)
  return (crc ^ 0xffffffff) >>> 0
}

function step(crc: number, byte: number): number {
  return (crc >>> 8) ^ (CRC_TABLE[(crc ^ byte) & 0xff] ?? 0)
}
