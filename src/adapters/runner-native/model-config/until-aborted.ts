/** Ends when the signal does, even while a source that ignores it is still busy. */
export async function* untilAborted<T>(source: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  const iterator = source[Symbol.asyncIterator]()
  const aborted = new Promise<{ readonly done: true }>((resolve) => {
    if (signal.aborted) resolve({ done: true })
    else signal.addEventListener('abort', () => resolve({ done: true }), { once: true })
  })
  try {
    for (;;) {
      const pending = iterator.next()
      // Whoever loses the race must not become an unhandled rejection.
      pending.catch(() => {})
      const next = await Promise.race([pending, aborted])
      if (next.done === true) return
      yield next.value
    }
  } finally {
    iterator.return?.().catch(() => {})
  }
}
