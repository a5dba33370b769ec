import { type TerminalFailure, usageFailure } from './terminal-failure.ts'

const WHY: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
  EISDIR: 'it is a folder',
  EACCES: 'you are not allowed to',
}

/** That a file on the command line cannot be read, and why; null when `error` is no word of the file system. */
export function unreadableFile(path: string, error: unknown): TerminalFailure | null {
  if (!(error instanceof Error) || !('code' in error)) return null
  const code = String(error.code)
  return /^E[A-Z]+$/.test(code) ? usageFailure(`cannot read ${path}: ${WHY[code] ?? code}`) : null
}
