/** Wrong words on the command line; the message says what is wanted. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
