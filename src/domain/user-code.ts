/** Consonant-heavy and free of look-alikes (RFC 8628 §6.1); what users type is folded onto it. */
export const USER_CODE_ALPHABET = 'ABCDEFGHJKLMNPQRSTUVWXY3456789'

const LENGTH = 8
/** Largest multiple of the alphabet below 256: bytes from here on are thrown away, so no letter is likelier. */
const FAIR_BYTES = 256 - (256 % USER_CODE_ALPHABET.length)

/** Draws `XXXX-XXXX`. `randomBytes` must be a CSPRNG; it is asked again while bytes fall in the biased tail. */
export function drawUserCode(randomBytes: (count: number) => Uint8Array): string {
  let letters = ''
  while (letters.length < LENGTH) {
    for (const byte of randomBytes(LENGTH * 2)) {
      if (byte < FAIR_BYTES && letters.length < LENGTH) letters += USER_CODE_ALPHABET[byte % USER_CODE_ALPHABET.length]
    }
  }
  return hyphenate(letters)
}

/** What a person typed, as the code it means: case, spaces and any kind of dash are forgiven. Null when it is none. */
export function normaliseUserCode(typed: string): string | null {
  const letters = typed.toUpperCase().replaceAll(/[\s\p{Pd}]/gu, '')
  if (letters.length !== LENGTH) return null
  for (const letter of letters) if (!USER_CODE_ALPHABET.includes(letter)) return null
  return hyphenate(letters)
}

function hyphenate(letters: string): string {
  return `${letters.slice(0, LENGTH / 2)}-${letters.slice(LENGTH / 2)}`
}
