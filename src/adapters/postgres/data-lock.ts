import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

const CLAIM = /^latchkey-[0-9a-f-]{36}\.lock$/
const LOOKS = 200
const BETWEEN_LOOKS_MS = 5

type Holder = {
  readonly pid: number
  /** Tells a process from a later one with the same pid. */
  readonly startToken: string
  /** Where the holder takes admin commands, or null. */
  readonly socketPath: string | null
}

type Claim = { readonly name: string; readonly isHeld: boolean; readonly holder: Holder }

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
 * What a dead process left is taken over.
 *
 * Everybody writes a claim of their own first and looks at the others' afterwards; only who then sees no other living
 * claim holds the directory. One shared file could be taken over by two who both saw it stale; a claim is only ever
 * removed by its owner, or when its owner is dead.
 * @throws DataDirLocked when a living process holds it
 */
export async function lockDataDir(dataDir: string, socketPath: string | null): Promise<DataLock> {
  await makeFolder(dataDir)
  const mine: Holder = { pid: process.pid, startToken: (await startTokenOf(process.pid)) ?? '', socketPath }
  const name = `latchkey-${randomUUID()}.lock`
  let rival: Holder = mine
  let isClaimed = false
  for (let look = 0; look < LOOKS; look++) {
    const others = await livingClaims(dataDir, name)
    const [first] = others
    if (first === undefined) {
      if (isClaimed) {
        await writeFile(join(dataDir, heldMarkOf(name)), '', { mode: 0o600 })
        return { release: () => withdraw(dataDir, name) }
      }
      await publish(dataDir, name, mine)
      isClaimed = true
      continue
    }
    const held = others.find(({ isHeld }) => isHeld)
    rival = (held ?? first).holder
    if (held !== undefined) break
    // Of those who came together the first by name stays; the others step back until nobody is there.
    if (isClaimed && others.some((other) => other.name < name)) {
      await withdraw(dataDir, name)
      isClaimed = false
    }
    await delay(BETWEEN_LOOKS_MS)
  }
  await withdraw(dataDir, name)
  throw new DataDirLocked(dataDir, rival)
}

/** Where the living process that holds `dataDir` takes admin commands; null when nobody holds it, or takes none. */
export async function socketOfHolder(dataDir: string): Promise<string | null> {
  if (!existsSync(dataDir)) return null
  const claims = await livingClaims(dataDir, '')
  return claims.find(({ isHeld }) => isHeld)?.holder.socketPath ?? null
}

/**
 * Node's own recursive way says ENOENT where it should say why (a read-only file system), and on some system folders
 * it never comes back.
 */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 })
  } catch (error) {
    const parent = dirname(path)
    if (codeOf(error) === 'EEXIST' && (await stat(path)).isDirectory()) return
    if (codeOf(error) !== 'ENOENT' || existsSync(parent)) throw error
    await makeFolder(parent)
    await mkdir(path, { mode: 0o700 })
  }
}

/** Renamed into place, so nobody reads a claim that is half written. */
async function publish(dataDir: string, name: string, holder: Holder): Promise<void> {
  const draft = join(dataDir, `${name}.draft`)
  await writeFile(draft, JSON.stringify(holder), { mode: 0o600 })
  await rename(draft, join(dataDir, name))
}

/** Mark first: a claim without one is at worst waited for, a mark without a claim would stay for ever. */
async function withdraw(dataDir: string, name: string): Promise<void> {
  await rm(join(dataDir, heldMarkOf(name)), { force: true })
  await rm(join(dataDir, name), { force: true })
}

async function livingClaims(dataDir: string, own: string): Promise<readonly Claim[]> {
  const files = await readdir(dataDir)
  const claims: Claim[] = []
  for (const name of files.filter((file) => CLAIM.test(file) && file !== own)) {
    const text = await readIfThere(join(dataDir, name))
    if (text === null) continue
    const holder = parseHolder(text)
    if (holder === null || !(await isAlive(holder))) await withdraw(dataDir, name)
    else claims.push({ name, isHeld: files.includes(heldMarkOf(name)), holder })
  }
  return claims
}

function heldMarkOf(name: string): string {
  return `${name}.held`
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
