/** Why a password is refused, in words for the person; null when it is fine. */
export function passwordFault(password: string): string | null {
  if (password.length < 8) return 'password must be at least 8 characters'
  if (password.length > 256) return 'password must be at most 256 characters'
  if (!/\p{L}/u.test(password)) return 'password must contain a letter'
  if (!/\p{Nd}/u.test(password)) return 'password must contain a digit'
  return null
}
