/** All but the Kelvin, Ångström and Ohm signs: their lower case is a letter of somebody else's address. */
const FOLDED = /[^\u2126\u212A\u212B]+/g

/** An email as it is stored and compared: trimmed, lower-cased. */
export function normaliseEmail(email: string): string {
  return email.trim().replaceAll(FOLDED, (letters) => letters.toLowerCase())
}

/** Whether `email`, trimmed, can be one: the address of RFC 5321 §4.5.3.1 is never longer. */
export function isEmail(email: string): boolean {
  const { length } = email.trim()
  return length >= 3 && length <= 320 && /^[^@\s\p{Cc}]+@[^@\s\p{Cc}]+$/u.test(email.trim())
}
