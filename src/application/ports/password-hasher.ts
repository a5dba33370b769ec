/** Slow, salted password hashes (scrypt, PHC string). Never blocks the event loop; at most two run at once. */
export interface PasswordHasher {
  hash(password: string): Promise<string>
  /** Takes the same time for a null hash (unknown person) as for a wrong password. */
  verify(password: string, hash: string | null): Promise<boolean>
}
