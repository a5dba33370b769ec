import type { Timer } from '#application/ports/clock.ts'
import type { Ran } from './code-runner.ts'
import type { SandboxReply, SandboxWork } from './sandbox-messages.ts'
import type { Child } from './sandbox-process.ts'

/** How many children there are, and what one job may take. */
export type PoolSettings = {
  readonly start: () => Child
  readonly timer: Timer
  readonly size: number
  readonly timeoutMs: number
}

/** Children that do one job at a time. They start when first needed, or expected, and are replaced after a kill. */
export type ChildPool = {
  /** A child that did work of one kind does no other. Never rejects. */
  submit(work: SandboxWork, kind: string, signal: AbortSignal): Promise<Ran<string>>
  /** Starts a child for work of that kind unless there is one; never at the cost of another. */
  expect(kind: string): void
  /** Children at work, children kept warm, and jobs without one. */
  state(): { readonly busy: number; readonly idle: number; readonly waiting: number }
  close(): Promise<void>
}

/** The interpreter stops itself first; the kill is for whatever keeps it from that. */
const KILL_GRACE_MS = 1000
/** The first answer of a child also waits for it to start, on a machine that may be busy. */
const START_MS = 20_000

type Job = {
  readonly work: SandboxWork
  readonly kind: string
  readonly settle: (said: Ran<string>) => void
  readonly signal: AbortSignal
}

type Worker = { readonly child: Child; readonly kind: string }

/** What a job comes to when its run does not wait for it any more. */
export const ended: Ran<never> = { ok: false, error: 'the run has ended' }

/** A pool without children. */
export function createChildPool({ start, timer, size, timeoutMs }: PoolSettings): ChildPool {
  const idle: Worker[] = []
  const busy = new Set<Worker>()
  const waiting: Job[] = []
  let closed = false

  function assign(): void {
    while (waiting.length > 0 && busy.size < size) {
      const job = waiting.shift()
      if (job === undefined) return
      if (job.signal.aborted) {
        job.settle(ended)
        continue
      }
      const worker = idleFor(job.kind) ?? { child: start(), kind: job.kind }
      busy.add(worker)
      void perform(worker, job)
    }
  }

  /** An idle child may have been killed by the system; one of another kind makes room. */
  function idleFor(kind: string): Worker | undefined {
    for (let at = idle.findLastIndex((one) => one.kind === kind); at >= 0; ) {
      const [worker] = idle.splice(at, 1)
      if (worker?.child.isAlive()) return worker
      at = idle.findLastIndex((one) => one.kind === kind)
    }
    if (idle.length + busy.size >= size) idle.shift()?.child.kill()
    return undefined
  }

  async function perform(worker: Worker, { work, settle, signal }: Job): Promise<void> {
    const { child } = worker
    const kill = () => child.kill()
    let late = false
    let isUp = false
    const expire = (afterMs: number) =>
      timer(afterMs, () => {
        late = true
        child.kill()
      })
    const outcomeOf = (reply: SandboxReply | null): Ran<string> => {
      if (reply !== null) return reply.said.ok ? { ok: true, value: reply.said.text } : reply.said
      if (signal.aborted || closed) return ended
      if (late) return { ok: false, error: 'it took too long' }
      return { ok: false, error: isUp ? 'it used too much memory' : 'the server could not start its sandbox' }
    }
    let cancel = expire(START_MS)
    signal.addEventListener('abort', kill, { once: true })
    isUp = await child.ready
    cancel()
    cancel = expire(timeoutMs + KILL_GRACE_MS)
    const reply = isUp ? await child.ask(work) : null
    cancel()
    signal.removeEventListener('abort', kill)
    busy.delete(worker)
    if (reply !== null && !reply.spent && child.isAlive() && !closed) idle.push(worker)
    else child.kill()
    settle(outcomeOf(reply))
    assign()
  }

  return {
    submit(work, kind, signal) {
      if (closed || signal.aborted) return Promise.resolve(ended)
      return new Promise((settle) => {
        waiting.push({ work, kind, settle, signal })
        assign()
      })
    },
    expect(kind) {
      // The system may have killed some at rest; they take no room.
      idle.splice(0, idle.length, ...idle.filter(({ child }) => child.isAlive()))
      const isThere = [...idle, ...busy].some((one) => one.kind === kind)
      if (!closed && !isThere && idle.length + busy.size < size) idle.push({ child: start(), kind })
    },
    state: () => ({ busy: busy.size, idle: idle.length, waiting: waiting.length }),
    async close() {
      closed = true
      const children = [...idle.splice(0), ...busy].map(({ child }) => child)
      for (const job of waiting.splice(0)) job.settle(ended)
      for (const child of children) child.kill()
      await Promise.all(children.map((child) => child.gone))
    },
  }
}
