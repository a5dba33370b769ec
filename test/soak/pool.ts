import { setMaxListeners } from 'node:events'
import { join } from 'node:path'
import type { Replica, Replicas } from '../support/replicas.ts'
import type { Reply, Send } from '../support/world.ts'
import type { Random } from './random.ts'

/** Replicas behind one address, as far as a client can tell. */
export type Pool = {
  size(): number
  replicas(): readonly Replica[]
  /** To any of them; to the next where nobody listens. @throws when nobody knows what became of it */
  send(random: Random, method: string, path: string, how: Send): Promise<Reply>
  /** Ends one by `signal` and starts another in its place. */
  replace(at: number, signal: 'SIGTERM' | 'SIGKILL'): Promise<void>
  /** Sets its clock wrong, or right again. */
  stepClock(at: number): void
  /** What went wrong with the processes themselves. */
  readonly troubles: string[]
  /** Log lines of requests that became a 500, of all replicas that there were. */
  faultLines(): string[]
}

const CLOCK = join(import.meta.dirname, 'stepping-clock.ts')
/** Ahead, behind, ahead …: further than clocks of one network are apart. */
const STEPS_MS = [20_000, -20_000]

/** Starts `size` replicas whose clocks can be stepped. */
export async function openPool(replicas: Replicas, size: number, env: Readonly<Record<string, string>>): Promise<Pool> {
  setMaxListeners(50, process)
  const start = (at: number) =>
    replicas.start({
      ...env,
      NODE_OPTIONS: `--import=${CLOCK}`,
      CLOCK_STEP_MS: String(STEPS_MS[at % STEPS_MS.length]),
    })
  const members = await Promise.all(Array.from({ length: size }, (_, at) => start(at)))
  const troubles: string[] = []
  const past: string[] = []
  const memberAt = (at: number): Replica => {
    const member = members[at % members.length]
    if (member === undefined) throw new Error('no replicas')
    return member
  }
  return {
    size: () => members.length,
    replicas: () => members,
    troubles,
    faultLines: () => [...past, ...members.flatMap(failedIn)],
    async send(random, method, path, how) {
      const first = random.below(members.length)
      for (let tries = 0; ; tries++) {
        try {
          return await memberAt(first + tries).send(method, path, how)
        } catch (error) {
          // Nobody took it, so another one may.
          if (!isRefused(error) || tries >= 2 * members.length) throw error
        }
      }
    },
    async replace(at, signal) {
      const old = memberAt(at)
      const { code, signal: by } = await old.stop(signal)
      const isExpected = signal === 'SIGKILL' ? by === 'SIGKILL' : code === 0
      if (!isExpected)
        troubles.push(`a replica ended by ${by ?? code} at ${signal}: ${old.faults.slice(-3).join('; ')}`)
      past.push(...failedIn(old))
      members[at % members.length] = await start(at)
    },
    stepClock(at) {
      process.kill(memberAt(at).pid, 'SIGUSR2')
    },
  }
}

/** Stores that are away are told by requests too, and are what a soak is for. */
const failedIn = ({ lines }: Replica) =>
  lines.filter(
    (line) => /"level":50.*"msg":"(?:request failed|run broke)"/.test(line) && !line.includes('service_unavailable'),
  )

function isRefused(error: unknown): boolean {
  return (
    error instanceof TypeError &&
    error.cause instanceof Error &&
    'code' in error.cause &&
    error.cause.code === 'ECONNREFUSED'
  )
}
