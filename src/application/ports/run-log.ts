import type { RunEvent, RunStep } from '#domain/run.ts'

/**
 * What runs tell, kept between the runner and its readers, so that a run is not its connection. One writer a run;
 * any number of readers, at any time.
 */
export interface RunLog {
  /**
   * Appends with the next `seq`. With `pace`, resolves only when the slowest reader is near, so a slow reader
   * slows the run; without it a reader that falls too far behind is cut.
   */
  append(runId: string, step: RunStep, options: { readonly pace: boolean }): Promise<RunEvent>
  /** Events from `fromSeq` on, live until the run's ending, `signal`, or the reader is cut. */
  read(runId: string, fromSeq: number, signal: AbortSignal): AsyncIterable<RunEvent>
  /** Begins a paused run's log anew, from 1: readers of its former part have ended. */
  restart(runId: string): Promise<void>
  /** No more events will come; readers end after what is there, and the log may be dropped after a while. */
  close(runId: string): Promise<void>
}
