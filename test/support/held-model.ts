import type { ModelClient, ModelRequest } from '#adapters/runner-native/models/model-client.ts'
import { ModelFailure } from '#adapters/runner-native/models/model-client.ts'
import type { RunFailure } from '#domain/run.ts'

/** A model that speaks when the test says so, and keeps what it was asked. */
export function aHeldModel() {
  const asked: ModelRequest[] = []
  const waiting: ((said: string | RunFailure | null) => void)[] = []
  const said: (string | RunFailure | null)[] = []
  let aborted = Promise.withResolvers<void>()

  const next = (signal: AbortSignal): Promise<string | RunFailure | null> => {
    const ready = said.shift()
    if (ready !== undefined) return Promise.resolve(ready)
    return new Promise((resolve) => {
      waiting.push(resolve)
      signal.addEventListener('abort', () => {
        aborted.resolve()
        resolve(null)
      })
    })
  }

  const tell = (word: string | RunFailure | null) => {
    const reader = waiting.shift()
    if (reader === undefined) said.push(word)
    else reader(word)
  }

  const model: ModelClient = {
    canRun: () => true,
    async *stream(request, signal) {
      asked.push(request)
      for (;;) {
        const word = await next(signal)
        if (signal.aborted || word === null) break
        if (typeof word !== 'string') throw new ModelFailure(word)
        yield { kind: 'text', delta: word }
      }
      if (signal.aborted) return
      yield { kind: 'finish', reason: 'stop' }
      yield { kind: 'usage', usage: { promptTokens: 7, completionTokens: 3, totalTokens: 10 } }
    },
  }
  return {
    model,
    asked,
    /** Resolves once a call to the model was aborted. */
    get aborted() {
      return aborted.promise
    },
    say: (...words: string[]) => words.forEach(tell),
    fail: (failure: RunFailure) => tell(failure),
    end: () => tell(null),
    forget() {
      aborted = Promise.withResolvers()
    },
  }
}
