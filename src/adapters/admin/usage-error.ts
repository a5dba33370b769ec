/** Wrong words on the command line; the message says what is wanted. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** What `parseArgs` refused. Node's advice on words that begin with a dash is left out: nobody who mistyped wants it. */
export function refusedWords(error: unknown): UsageError {
  const message = error instanceof Error ? error.message : 'cannot read the command line'
  return new UsageError(message.replace(/\. To specify a positional argument.*$/s, ''))
}
