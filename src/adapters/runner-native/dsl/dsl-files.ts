import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import type { Timer } from '#application/ports/clock.ts'
import type { DslFiles, ReadDsl } from '#application/ports/dsl-files.ts'
import { DomainError } from '#domain/errors.ts'
import type { DslTask, DslVerdict } from './dsl-task.ts'
import { refuse } from './refuse.ts'

/** Characters. Reading this much takes some ten milliseconds, as long as a worker takes to start. */
const INLINE_CHARS = 100_000
/** Ten MiB of YAML take a quarter of it. */
const TIMEOUT_MS = 60_000
/** Large files that are read or wait for it. */
const MAX_UNDERWAY = 10
/** A parsed file takes a hundred times its length. */
const HEAP_MB = 2048

/** Reads and writes app files; large ones beside this thread, which has streams to serve meanwhile. */
export function createDslFiles({ timer }: { readonly timer: Timer }): DslFiles {
  let last: Promise<unknown> = Promise.resolve()
  let underway = 0
  const perform = async (task: DslTask) => {
    if (task.source.length <= INLINE_CHARS) {
      // Only here: most processes read no app file.
      const { doTask } = await import('./dsl-task.ts')
      return doTask(task)
    }
    // Whoever waits holds a whole file in memory, and nobody waits for minutes.
    if (underway >= MAX_UNDERWAY) throw new DomainError('service_unavailable', {})
    underway += 1
    // One at a time: a few at once would take the memory of everybody.
    const mine = last.then(() => performInWorker(task, timer))
    last = mine
      .catch(() => {})
      .then(() => {
        underway -= 1
      })
    return mine
  }
  return {
    read: async (source) => {
      // A read gives what was understood, and only a write gives text.
      return (await perform({ kind: 'read', source })) as ReadDsl
    },
    write: async (source, choices) => String(await perform({ kind: 'write', source, choices })),
  }
}

async function performInWorker(task: DslTask, timer: Timer): Promise<ReadDsl | string> {
  const worker = new Worker(fileURLToPath(new URL('./dsl-worker.ts', import.meta.url)), {
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
  })
  const { promise, resolve, reject } = Promise.withResolvers<DslVerdict>()
  const cancel = timer(TIMEOUT_MS, () =>
    reject(new DomainError('dsl_invalid', { message: 'the file takes too long to read' })),
  )
  worker
    .once('message', resolve)
    .once('error', reject)
    .once('exit', () => reject(new Error('the worker ended')))
  try {
    worker.postMessage(task)
    const verdict = await promise
    return verdict.ok ? verdict.value : refuse(verdict.facts.message)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY') {
      return refuse('the file unfolds into more than it is')
    }
    throw error
  } finally {
    cancel()
    await worker.terminate()
  }
}
