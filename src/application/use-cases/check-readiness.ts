import type { Clock, Timer } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'

/** One thing that the server stands on. Without an `essential` one it can answer nobody. */
export type Check = {
  readonly name: 'database' | 'migrations' | 'redis'
  readonly essential: boolean
  /** False, or a rejection, is a failure. */
  readonly passes: () => Promise<boolean>
}

/** Names of what failed; never why, which is nobody's business but the log's. */
export type Readiness = { readonly failed: readonly string[]; readonly degraded: readonly string[] }

/** Asks everything that the server stands on, at most once a second, however often it is called. */
export type CheckReadiness = () => Promise<Readiness>

type Needs = { checks: readonly Check[]; now: Clock; timer: Timer; log: Log }

/** What a flood of probes is answered from. */
const FRESH_MS = 1000
/** Shorter than what a balancer waits for the answer. */
const PATIENCE_MS = 2000

/** `drain` lets every later check fail, for a server that is about to stop. */
export function makeCheckReadiness({ checks, now, timer, log }: Needs): {
  readonly checkReadiness: CheckReadiness
  drain(): void
} {
  let isDraining = false
  let askedAtMs = Number.NEGATIVE_INFINITY
  let asked: Promise<Readiness> | null = null
  let underway = false
  let said = ''

  async function ask(): Promise<Readiness> {
    const verdicts = await Promise.all(checks.map((check) => passesInTime(check, timer)))
    const names = (essential: boolean) =>
      checks.filter((check, at) => check.essential === essential && verdicts[at] === false).map(({ name }) => name)
    const found = { failed: names(true), degraded: names(false) }
    const line = [...found.failed, ...found.degraded].join(', ')
    if (line !== said) log.warn(line === '' ? 'ready again' : 'a check of readiness fails', { checks: line })
    said = line
    return found
  }

  return {
    async checkReadiness() {
      if (isDraining) return { failed: ['draining'], degraded: [] }
      const isFresh = underway || now() - askedAtMs < FRESH_MS
      if (asked === null || !isFresh) {
        underway = true
        asked = ask().finally(() => {
          underway = false
          askedAtMs = now()
        })
      }
      return asked
    },
    drain() {
      isDraining = true
    },
  }
}

/** A store that hangs fails like one that refuses. */
async function passesInTime({ passes }: Check, timer: Timer): Promise<boolean> {
  return new Promise((resolve) => {
    const cancel = timer(PATIENCE_MS, () => resolve(false))
    const settle = (passed: boolean) => {
      cancel()
      resolve(passed)
    }
    passes().then(settle, () => settle(false))
  })
}
