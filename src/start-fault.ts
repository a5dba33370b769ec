/** What an operator can do about it, by the code of the file system, the socket or PostgreSQL. */
const REASONS: Readonly<Record<string, string>> = {
  EADDRNOTAVAIL: 'this machine does not have the address; check HOST',
  EACCES: 'not allowed to use the data directory or the port; check DATA_DIR and PORT',
  EPERM: 'not allowed to use the data directory or the port; check DATA_DIR and PORT',
  ENOENT: 'DATA_DIR cannot be created there; set it to another folder',
  EEXIST: 'DATA_DIR is not a folder; set it to one',
  ENOTDIR: 'DATA_DIR is not a folder; set it to one',
  ENOSPC: 'the disk is full; free some space for DATA_DIR',
  EROFS: 'DATA_DIR is on a read-only file system; set it to another folder',
  ENOTFOUND: 'the host of the database is unknown; check DATABASE_URL',
  EAI_AGAIN: 'the host of the database cannot be looked up at the moment; check DATABASE_URL',
  ECONNREFUSED: 'the database does not answer; check DATABASE_URL',
  ECONNRESET: 'the database does not answer; check DATABASE_URL',
  ETIMEDOUT: 'the database does not answer; check DATABASE_URL',
  EHOSTUNREACH: 'the database does not answer; check DATABASE_URL',
  ENETUNREACH: 'the database does not answer; check DATABASE_URL',
  '28000': 'the database does not know this user; check DATABASE_URL',
  '28P01': 'the database refuses the user or the password; check DATABASE_URL',
  '3D000': 'the database does not exist; create it, or check DATABASE_URL',
  '42501': 'the database user lacks a right; let it own the database that DATABASE_URL names',
  '53100': 'the disk of the database is full; free some space there',
  '53300': 'the database takes no more connections; close some, or raise its max_connections',
  '57P03': 'the database is starting or stopping; try again',
}

/** The pool has no code for this. */
const NO_CONNECTION = /timeout exceeded when trying to connect|Connection terminated/

/** Why the server could not start, in one line; a stack only for what nobody expected. */
export function startFault(error: unknown): string {
  if (error instanceof Error && error.name === 'DataDirLocked') {
    return `${error.message}; stop it first, or set DATA_DIR to another folder`
  }
  for (const cause of causesOf(error)) {
    if ('code' in cause && cause.code === 'EADDRINUSE') return takenPort(cause)
    const known = REASONS['code' in cause ? String(cause.code) : '']
    if (known !== undefined) return known
    if (NO_CONNECTION.test(cause.message)) return 'the database does not answer; check DATABASE_URL'
  }
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

/** Two listeners may have failed: the number tells which, and so which variable is meant. */
function takenPort(cause: Error): string {
  const port = 'port' in cause ? `port ${String(cause.port)}` : 'the port'
  return `${port} is taken; set PORT, or METRICS_PORT if that one names it, to another`
}

function causesOf(error: unknown): readonly Error[] {
  const found: Error[] = []
  for (let at = error; at instanceof Error && found.length < 8; at = at.cause) {
    found.push(at)
    // A name with several addresses fails with one error for each.
    if (at instanceof AggregateError) found.push(...at.errors.filter((one) => one instanceof Error))
  }
  return found
}
