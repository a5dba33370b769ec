import type { JsonObject } from '#domain/app.ts'

/** How a container wants its rounds. Loops go one at a time and ask before each further one. */
export type RoundPlan = {
  readonly kind: 'iteration' | 'loop'
  readonly rounds: number
  readonly parallel: number
  readonly onError: 'terminate' | 'continue'
}

/** One node of one round: the run itself is scope 0, every round of a container has a scope of its own. */
export type Place = { readonly scope: number; readonly nodeId: string }

/** One execution of a node under way. A retry keeps everything but `attempt`. */
export type Execution = Place & {
  /** Counts executions of the run from 1. */
  readonly index: number
  readonly attempt: number
  readonly predecessorNodeId: string | null
}

/** What happened to a run. */
export type SchedulerEvent =
  | { readonly kind: 'start' }
  /** `handles` are the names the chosen branch may go by, best first; null takes every edge. */
  | ({
      readonly kind: 'node_succeeded'
      readonly outputs: JsonObject
      readonly handles: readonly string[] | null
    } & Place)
  | ({
      readonly kind: 'node_failed'
      readonly error: string
      readonly errorType: string
      readonly retryable: boolean
    } & Place)
  | ({ readonly kind: 'retry_due' } & Place)
  /** A container knows what it is to repeat. */
  | ({ readonly kind: 'container_opened'; readonly plan: RoundPlan } & Place)
  /** Whether the loop goes on after a round. */
  | ({ readonly kind: 'loop_checked'; readonly again: boolean } & Place)
  | { readonly kind: 'cut'; readonly outcome: 'stopped' | 'failed'; readonly error: string }

/** What is to be done about it. */
export type SchedulerCommand =
  | ({ readonly kind: 'run_node' } & Execution)
  | ({ readonly kind: 'retry_later'; readonly delayMs: number; readonly error: string } & Execution)
  /** The node ended: its outputs are now variables. */
  | {
      readonly kind: 'settle_node'
      readonly execution: Execution
      readonly status: 'succeeded' | 'exception' | 'failed' | 'stopped'
      readonly outputs: JsonObject
      readonly error: string | null
    }
  | ({ readonly kind: 'skip_node' } & Place)
  /** A round of the container begins in the scope `inner`. */
  | { readonly kind: 'begin_round'; readonly execution: Execution; readonly inner: number; readonly round: number }
  /** The round is over, and whatever still runs in its scope is to be stopped. */
  | {
      readonly kind: 'end_round'
      readonly execution: Execution
      readonly inner: number
      readonly round: number
      readonly outcome: 'done' | 'failed' | 'dropped'
    }
  /** Asks for `loop_checked`. */
  | { readonly kind: 'check_loop'; readonly execution: Execution }
  /** Every round is over: asks for the container's `node_succeeded`. */
  | { readonly kind: 'close_container'; readonly execution: Execution }
  | {
      readonly kind: 'finish'
      readonly outcome: 'succeeded' | 'partial' | 'failed' | 'stopped'
      readonly error: string | null
    }
