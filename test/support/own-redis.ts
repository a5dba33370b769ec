import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, isUsableRedis, onPath } from './own-services.ts'
import { services, suiteWhere } from './services.ts'

const START_MS = 15_000

/** A Redis that a test may do anything to. */
export type OwnRedis = {
  readonly url: string
  /** The process stands still: it accepts connections and says nothing. */
  pause(): void
  resume(): void
  /** Stops it, forgetting everything; `start` brings an empty one back on the same port. */
  stop(): Promise<void>
  start(): Promise<void>
}

/** `describe` where a Redis and a database of one's own can be had. */
export const ownRedisSuite = suiteWhere(services.postgres !== null && onPath('redis-server') !== null)

export async function openOwnRedis(): Promise<OwnRedis> {
  const binary = onPath('redis-server')
  if (binary === null) throw new Error('no redis-server: the suite should have been skipped')
  const port = await freePort()
  const url = `redis://127.0.0.1:${port}`
  let folder = ''
  let child: ChildProcess | null = null
  const killAtExit = () => child?.kill('SIGKILL')
  process.once('exit', killAtExit)

  async function start(): Promise<void> {
    folder = await mkdtemp(join(tmpdir(), 'latchkey-redis-'))
    const settings = [
      '--port',
      String(port),
      '--bind',
      '127.0.0.1',
      '--save',
      '',
      '--appendonly',
      'no',
      '--dir',
      folder,
    ]
    child = spawn(binary ?? '', settings, { stdio: 'ignore' })
    const deadline = Date.now() + START_MS
    while (!(await isUsableRedis(url))) {
      if (child.exitCode !== null || Date.now() > deadline) throw new Error('redis-server did not start')
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
  await start()

  return {
    url,
    pause: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
    start,
    async stop() {
      if (child !== null && child.exitCode === null && child.signalCode === null) {
        child.kill('SIGKILL')
        await once(child, 'exit')
      }
      process.off('exit', killAtExit)
      await rm(folder, { recursive: true, force: true })
    },
  }
}
