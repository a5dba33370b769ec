import type { RunEvent, RunStep } from '#domain/run.ts'

/**
 * What runs tell, kept between the runner and its readers, so that a run is not its connection. One writer a run;
 * any number of readers, at any time.
 */
export interface RunLog {
  /**
   * From now on, at once, this process carries the run. With `anew` the log of a paused run begins again from 1, when
   * this resolves: readers of its former part have ended.
   */
  begin(runId: string, options: { readonly anew: boolean }): Promise<void>
  /**
   * Appends with the next `seq`. With `pace`, resolves only when the slowest reader is near, so a slow reader
   * slows the run; without it a reader that falls too far behind is cut.
   */
  append(runId: string, step: RunStep, options: { readonly pace: boolean }): Promise<RunEvent>
  /** @throws DomainError `service_unavailable` where the run's process cannot be heard of just now */
  reach(runId: string): Promise<void>
  /**
   * Events from `fromSeq` on, or only those to come, live until the run's ending, `signal`, or the reader is cut. From
   * a process that does not carry the run they come a little later, and their reader slows nobody.
   * @throws DomainError `service_unavailable` where the run's process cannot be heard of
   */
  read(runId: string, from: number | 'now', signal: AbortSignal): AsyncIterable<RunEvent>
  /** No more events will come; readers end after what is there, and the log may be dropped after a while. */
  close(runId: string): Promise<void>
}
