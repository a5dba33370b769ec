import type { SealedToken } from '#domain/device-flow-state.ts'

/** SHA-256, lowercase hex, of a secret with at least 112 bits of entropy. */
export type Digest = (secret: string) => string

/** `count` bytes from a CSPRNG. */
export type RandomBytes = (count: number) => Uint8Array

/** A new UUID, version 7. */
export type NewId = () => string

/** Compares two secrets in time independent of where they differ. */
export type SameSecret = (a: string, b: string) => boolean

/**
 * Holds a minted token between approval and pick-up so that no store, and no one who dumps every store,
 * can read it: approval seals to a public key, and only the device code derives the private one.
 */
export interface TokenSeal {
  /** The X25519 public key (base64url) that `deviceCode` derives. */
  publicKeyOf(deviceCode: string): string
  /** Seals `token` to `publicKey` (ephemeral ECDH, HKDF, AES-256-GCM). */
  seal(publicKey: string, token: string): SealedToken
  /** The token, or null when the box was not sealed to this device code or was tampered with. */
  open(sealed: SealedToken, deviceCode: string): string | null
}

/** Keeps secrets readable for us alone at rest. Each value names its key, so keys can be rotated. */
export interface SecretBox {
  seal(plain: string): string
  /** Null when no configured key opens it. */
  open(sealed: string): string | null
}
