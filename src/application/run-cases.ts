import type { CoreSettings, Ports } from './ports.ts'
import { type HumanForms, makeHumanForms } from './use-cases/answer-form.ts'
import { makeCarryRun, type Underway } from './use-cases/carry-run.ts'
import { makeExpireForms } from './use-cases/expire-forms.ts'
import { type JoinRun, makeJoinRun } from './use-cases/join-run.ts'
import { makePruneTraces, type PruneTraces } from './use-cases/prune-traces.ts'
import { makeRunApp, type RunApp } from './use-cases/run-app.ts'
import { makeShowRun, type ShowRun } from './use-cases/show-run.ts'
import { makeStopRun, type StopRun } from './use-cases/stop-run.ts'
import { makeTendRuns, type TendRuns } from './use-cases/tend-runs.ts'
import { makeTraceRun } from './use-cases/trace-run.ts'

/** Running apps, and what may be done about a run. */
export type RunCases = {
  readonly runApp: RunApp
  readonly humanForms: HumanForms
  readonly stopRun: StopRun
  readonly joinRun: JoinRun
  /** Somebody has to do it every ten seconds. */
  readonly tendRuns: TendRuns
  /** An operator's view. */
  readonly showRun: ShowRun
  readonly pruneTraces: PruneTraces
}

export function makeRunCases(ports: Ports, settings: CoreSettings): RunCases {
  const underway: Underway = new Map()
  const carryRun = makeCarryRun({ ...ports, underway, traces: makeTraceRun({ ...ports, settings }) })
  return {
    runApp: makeRunApp({ ...ports, carryRun, settings }),
    humanForms: makeHumanForms({ ...ports, carryRun, settings }),
    stopRun: makeStopRun(ports),
    joinRun: makeJoinRun(ports),
    tendRuns: makeTendRuns({ ...ports, underway, expireForms: makeExpireForms({ ...ports, carryRun, settings }) }),
    showRun: makeShowRun(ports),
    pruneTraces: makePruneTraces({ ...ports, settings }),
  }
}
