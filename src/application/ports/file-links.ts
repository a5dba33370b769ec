/** Addresses of files that anybody who holds one can fetch for a short time, without a bearer. */
export interface FileLinks {
  /** Path and query, from the root of this server. */
  sign(fileId: string, expiresAtMs: number): string
  /** Whether we signed exactly this, with a key that is still configured, and it has not expired. */
  verify(fileId: string, query: Readonly<Record<string, string | undefined>>, nowMs: number): boolean
}
