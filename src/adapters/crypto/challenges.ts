import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'
import { CHALLENGE_TTL_S, type Challenges } from '#application/ports/challenges.ts'
import { randomBytes } from './random.ts'
import type { BoxKey } from './secret-box.ts'

const NONCE_BYTES = 16
/** The clock of whoever asks may be ahead by so much. */
const AHEAD_S = 30
const FORM = /^([\w-]{22})\.(\d{1,12})\.([\w-]{43})$/

/** Issues with the first key and opens with any of them, so that keys can be rotated. */
export function createChallenges(keys: readonly BoxKey[]): Challenges {
  const derived = keys.map(({ key }) => derive(key))
  const [issuing] = derived
  if (issuing === undefined) throw new TypeError('a challenge needs a key')
  return {
    issue(nowMs) {
      const nonce = Buffer.from(randomBytes(NONCE_BYTES)).toString('base64url')
      const issuedAtS = String(Math.floor(nowMs / 1000))
      const text = `${nonce}.${issuedAtS}.${macOf(issuing, 'question', nonce, issuedAtS).toString('base64url')}`
      return { text, isAnswer: (said, mac) => isSame(macOf(issuing, 'answer', nonce, said), mac) }
    },
    open(text, nowMs) {
      const [, nonce = '', issuedAtS = '', mac = ''] = FORM.exec(text) ?? []
      // Every key is tried, whichever fits: how long it takes tells nothing.
      const fits = derived.map((key) => isSame(macOf(key, 'question', nonce, issuedAtS), mac))
      const key = derived[fits.indexOf(true)]
      if (key === undefined || !isCurrent(Number(issuedAtS), nowMs)) return null
      return { nonce, sign: (said) => macOf(key, 'answer', nonce, said).toString('base64url') }
    },
  }
}

function isCurrent(issuedAtS: number, nowMs: number): boolean {
  const ageMs = nowMs - issuedAtS * 1000
  return ageMs < CHALLENGE_TTL_S * 1000 && ageMs >= -AHEAD_S * 1000
}

/** What a MAC is of stands first: a question sent back must not pass for an answer. */
function macOf(key: Uint8Array, kind: 'question' | 'answer', nonce: string, text: string): Buffer {
  return createHmac('sha256', key).update(`${kind}\n${nonce}\n${text}`).digest()
}

function isSame(expected: Buffer, given: string): boolean {
  const bytes = Buffer.from(given, 'base64url')
  return expected.length === bytes.length && timingSafeEqual(expected, bytes)
}

/** A key of its own for this purpose: what one signs must mean nothing elsewhere. */
function derive(key: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', key, '', 'latchkey challenges v1', 32))
}
