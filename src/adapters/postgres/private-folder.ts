import { chmod, mkdir, stat } from 'node:fs/promises'

/** What a folder's mode grants to everybody on the machine. */
const OTHERS = 0o007

/**
 * Makes `path` for this user alone, or takes it from everybody where it is there already; a group that an operator let
 * in stays. A folder that belongs to somebody else is theirs to close.
 */
export async function makePrivateFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 })
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error
    const mode = (await stat(path)).mode & 0o777
    if ((mode & OTHERS) !== 0) await chmod(path, mode & ~OTHERS).catch(unlessForeign)
  }
}

function unlessForeign(error: unknown): void {
  if (!hasCode(error, 'EPERM') && !hasCode(error, 'EROFS') && !hasCode(error, 'ENOTSUP')) throw error
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
