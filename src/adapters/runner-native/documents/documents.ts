import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import type { Timer } from '#application/ports/clock.ts'
import { DocumentFault } from './document-fault.ts'
import type { DocumentTask, DocumentVerdict } from './document-text.ts'

/** Reads the text of documents that strangers made. */
export interface Documents {
  /** @throws DocumentFault when the document cannot be read, takes too long or too much memory */
  textOf(task: DocumentTask, signal: AbortSignal): Promise<string>
}

export type DocumentsSettings = { readonly timer: Timer; readonly timeoutMs?: number; readonly heapMb?: number }

/** Each document has a worker of its own, so that a hostile one spoils neither this thread nor the next; two at once. */
export function createDocuments({ timer, timeoutMs = 30_000, heapMb = 512 }: DocumentsSettings): Documents {
  const lanes: Promise<unknown>[] = [Promise.resolve(), Promise.resolve()]
  let turn = 0
  return {
    textOf(task, signal) {
      const lane = turn++ % lanes.length
      const mine = (lanes[lane] ?? Promise.resolve()).then(() => read(task, signal))
      lanes[lane] = mine.catch(() => {})
      return mine
    },
  }

  async function read(task: DocumentTask, signal: AbortSignal): Promise<string> {
    signal.throwIfAborted()
    const worker = new Worker(fileURLToPath(new URL('./documents-worker.ts', import.meta.url)), {
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: heapMb },
    })
    const { promise, resolve, reject } = Promise.withResolvers<DocumentVerdict>()
    const cancel = timer(timeoutMs, () => reject(new DocumentFault('takes too long to read')))
    const abort = () => reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    worker.once('message', resolve).once('error', reject)
    worker.once('exit', () => reject(new DocumentFault('cannot be read')))
    try {
      worker.postMessage(task)
      const verdict = await promise
      if (!verdict.ok) throw new DocumentFault(verdict.message)
      return verdict.text
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY') {
        throw new DocumentFault('unfolds into more than it is', { cause: error })
      }
      throw error
    } finally {
      cancel()
      signal.removeEventListener('abort', abort)
      await worker.terminate()
    }
  }
}
