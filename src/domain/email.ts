/** An email as it is stored and compared: trimmed, lower-cased. */
export function normaliseEmail(email: string): string {
  return email.trim().toLowerCase()
}
