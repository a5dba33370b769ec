import { spawn, spawnSync } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import pg from 'pg'

const PROBE_MS = 2000
const START_MS = 15_000

/** Whether a PostgreSQL there lets us create databases; one that only answers is of no use to a test. */
export async function isUsablePostgres(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: PROBE_MS })
  try {
    await client.connect()
    const { rows } = await client.query(
      'select rolsuper or rolcreatedb as able from pg_roles where rolname = current_user',
    )
    return rows[0]?.able === true
  } catch (error) {
    if (error instanceof Error) return false
    throw error
  } finally {
    await client.end()
  }
}

/** Whether a Redis there answers PING without a password. */
export async function isUsableRedis(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url)
  return new Promise((answer) => {
    const socket = connect({ host: hostname, port: Number(port || 6379), timeout: PROBE_MS })
    const settle = (usable: boolean) => {
      socket.destroy()
      answer(usable)
    }
    socket.once('connect', () => socket.write('PING\r\n'))
    socket.once('data', (bytes) => settle(bytes.toString().startsWith('+PONG')))
    socket.once('timeout', () => settle(false)).once('error', () => settle(false))
  })
}

/** Starts a throw-away PostgreSQL that ends with this process; null where there is no binary. */
export async function startPostgres(): Promise<string | null> {
  return (await openOwnPostgres())?.url ?? null
}

export type OwnPostgres = {
  readonly url: string
  /** Ends every connection without a word, as a crash does. */
  stop(): void
  /** Recovers from that on the same port. */
  start(): void
}

/** A throw-away PostgreSQL that a test may stop; null where there is no binary. */
export async function openOwnPostgres(): Promise<OwnPostgres | null> {
  const bin = postgresFolder()
  if (bin === null) return null
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-postgres-'))
  // PostgreSQL refuses to run as root, so root hands it to the user that its package made.
  const user = process.getuid?.() === 0 ? idsOf('postgres') : null
  if (user !== null) chownSync(folder, user.uid, user.gid)
  const data = join(folder, 'data')
  const run = (command: string, args: readonly string[]) => {
    const { status, stderr, error } = spawnSync(join(bin, command), args, {
      ...user,
      encoding: 'utf8',
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    if (status !== 0) throw error ?? new Error(`${command} failed: ${stderr}`)
  }
  run('initdb', ['-D', data, '-A', 'trust', '-U', 'postgres', '-E', 'UTF8', '--no-sync'])
  const port = await freePort()
  const settings = `-p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=${folder} -c max_connections=200 -c fsync=off`
  // Its log goes to a file: a server that holds our stderr open would keep a pipeline waiting.
  let isRunning = false
  const start = () => {
    run('pg_ctl', ['-D', data, '-w', '-t', String(START_MS / 1000), '-l', join(folder, 'log'), '-o', settings, 'start'])
    isRunning = true
  }
  const stop = () => {
    if (isRunning) run('pg_ctl', ['-D', data, '-m', 'immediate', '-w', 'stop'])
    isRunning = false
  }
  start()
  atExit(() => {
    stop()
    rmSync(folder, { recursive: true, force: true })
  })
  return { url: `postgres://postgres@127.0.0.1:${port}/postgres`, start, stop }
}

/** Starts a throw-away Redis that ends with this process; null where there is no binary. */
export async function startRedis(): Promise<string | null> {
  const binary = onPath('redis-server')
  if (binary === null) return null
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-redis-'))
  const port = await freePort()
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder]
  const child = spawn(binary, args, { stdio: 'ignore' })
  child.unref()
  atExit(() => {
    child.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  })
  const url = `redis://127.0.0.1:${port}`
  const deadline = Date.now() + START_MS
  while (!(await isUsableRedis(url))) {
    if (child.exitCode !== null || Date.now() > deadline) throw new Error('redis-server did not start')
    await new Promise((resume) => setTimeout(resume, 50))
  }
  return url
}

/** The first of these commands on the path. */
export function onPath(...names: readonly string[]): string | null {
  const folders = (process.env.PATH ?? '').split(delimiter)
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) => existsSync(path)) ?? null
}

/** Debian keeps PostgreSQL's commands off the path, one folder a version; the newest wins. */
function postgresFolder(): string | null {
  const root = '/usr/lib/postgresql'
  const versions = existsSync(root) ? readdirSync(root).filter((name) => Number(name) >= 14) : []
  const debian = versions.toSorted((a, b) => Number(b) - Number(a)).map((version) => join(root, version, 'bin'))
  const folders = [...debian, ...(process.env.PATH ?? '').split(delimiter)]
  return (
    folders.find((folder) => ['initdb', 'pg_ctl', 'postgres'].every((name) => existsSync(join(folder, name)))) ?? null
  )
}

/** The path of one of PostgreSQL's commands. */
export function postgresCommand(name: string): string {
  return join(postgresFolder() ?? '', name)
}

function idsOf(user: string): { uid: number; gid: number } {
  const [uid, gid] = ['-u', '-g'].map((flag) => Number(spawnSync('id', [flag, user], { encoding: 'utf8' }).stdout))
  if (!uid || !gid) throw new Error(`there is no user ${user} to run PostgreSQL as`)
  return { uid, gid }
}

export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const address = server.address()
  await new Promise((closed) => server.close(closed))
  if (address === null || typeof address === 'string') throw new Error('no free port')
  return address.port
}

/** A signal ends a process without its exit handlers, and would leave the servers behind. */
function atExit(stop: () => void): void {
  process.once('exit', stop)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    if (process.listenerCount(signal) === 0) process.once(signal, () => process.exit(1))
  }
}
