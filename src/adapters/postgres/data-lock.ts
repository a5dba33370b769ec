import { randomUUID } from 'node:crypto'
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const LOCK_FILE = 'latchkey.lock'
const ATTEMPTS = 20

type Holder = {
  readonly pid: number
  /** Tells a process from a later one with the same pid. */
  readonly startToken: string
  /** Where the holder takes admin commands, or null. */
  readonly socketPath: string | null
}

/** A data directory that is held. */
export type DataLock = { release(): Promise<void> }

/** Another living process has the data directory open. */
export class DataDirLocked extends Error {
  override readonly name = 'DataDirLocked'
  readonly pid: number
  readonly socketPath: string | null

  constructor(dataDir: string, holder: Holder) {
    super(`the data directory ${dataDir} is in use by process ${holder.pid}`)
    this.pid = holder.pid
    this.socketPath = holder.socketPath
  }
}

/**
 * Takes `dataDir` for this process alone: the embedded database does not notice a second opener, and loses rows.
 * A lock left by a dead process is taken over.
 * @throws DataDirLocked when a living process holds it
 */
export async function lockDataDir(dataDir: string, socketPath: string | null): Promise<DataLock> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  const path = join(dataDir, LOCK_FILE)
  const mine: Holder = { pid: process.pid, startToken: (await startTokenOf(process.pid)) ?? '', socketPath }
  const draft = `${path}.${randomUUID()}`
  await writeFile(draft, JSON.stringify(mine), { mode: 0o600 })
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      if (await linked(draft, path)) return { release: () => rm(path, { force: true }) }
      const text = await readIfThere(path)
      if (text === null) continue
      const holder = parseHolder(text)
      if (holder !== null && (await isAlive(holder))) throw new DataDirLocked(dataDir, holder)
      await bury(path, text)
    }
    throw new Error(`cannot lock the data directory ${dataDir}: its lock file keeps changing`)
  } finally {
    await rm(draft, { force: true })
  }
}

/** A hard link appears whole or not at all, so nobody reads a lock that is half written. */
async function linked(draft: string, path: string): Promise<boolean> {
  try {
    await link(draft, path)
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  }
}

/** Removes the stale lock, and only that one: of two processes that both saw it, the slower puts back what it took. */
async function bury(path: string, stale: string): Promise<void> {
  const grave = `${path}.${randomUUID()}`
  try {
    await rename(path, grave)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return
    throw error
  }
  if ((await readIfThere(grave)) !== stale) await linked(grave, path)
  await rm(grave, { force: true })
}

async function isAlive(holder: Holder): Promise<boolean> {
  try {
    process.kill(holder.pid, 0)
  } catch (error) {
    if (codeOf(error) === 'ESRCH') return false
    if (codeOf(error) !== 'EPERM') throw error
  }
  const token = await startTokenOf(holder.pid)
  return token === null || token === holder.startToken
}

/** Boot and start time of a process, where the system tells (Linux); elsewhere null, and the pid alone counts. */
async function startTokenOf(pid: number): Promise<string | null> {
  const stat = await readIfThere(`/proc/${pid}/stat`)
  const boot = await readIfThere('/proc/sys/kernel/random/boot_id')
  if (stat === null || boot === null) return null
  // The command name before the last parenthesis may itself hold spaces; start time is the 20th field after it.
  const startTime = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .at(19)
  return startTime === undefined ? null : `${boot.trim()}:${startTime}`
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ESRCH') return null
    throw error
  }
}

function parseHolder(text: string): Holder | null {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null || !('pid' in value) || !('startToken' in value)) return null
    const { pid, startToken } = value
    // 0 and negative pids name process groups, which always seem alive.
    if (typeof pid !== 'number' || pid < 1 || typeof startToken !== 'string') return null
    const socketPath = 'socketPath' in value && typeof value.socketPath === 'string' ? value.socketPath : null
    return { pid, startToken, socketPath }
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
