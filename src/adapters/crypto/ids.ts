import { randomBytes } from './random.ts'

/**
 * A new UUID version 7 (RFC 9562 §5.7): 48 bits of time, 74 random bits. Node's own `randomUUIDv7` is younger than
 * the oldest Node supported.
 */
export function newId(): string {
  return uuidV7(Date.now(), randomBytes(10))
}

/** Lays out `atMs` and ten random bytes as a UUID version 7. */
export function uuidV7(atMs: number, random: Uint8Array): string {
  const bytes = Buffer.alloc(16)
  bytes.writeUIntBE(atMs, 0, 6)
  bytes.set(random, 6)
  bytes.writeUInt8(0x70 | (bytes.readUInt8(6) & 0x0f), 6)
  bytes.writeUInt8(0x80 | (bytes.readUInt8(8) & 0x3f), 8)
  const hex = bytes.toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
