/** What running nodes report, for the one loop that reads it. */
export type Inbox<T> = {
  /** Adds at the end, or at the front for what must not wait behind a backlog. */
  readonly push: (event: T, where?: 'back' | 'front') => void
  /** The next event, when there is one. One caller at a time. */
  readonly next: () => Promise<T>
  /** Takes whatever is left. */
  readonly drain: () => readonly T[]
}

/** A queue with one reader. */
export function createInbox<T>(): Inbox<T> {
  const events: T[] = []
  let wake: (() => void) | null = null
  return {
    push(event, where = 'back') {
      if (where === 'front') events.unshift(event)
      else events.push(event)
      wake?.()
    },
    async next() {
      for (;;) {
        const event = events.shift()
        if (event !== undefined) return event
        await new Promise<void>((resolve) => {
          wake = resolve
        })
        wake = null
      }
    },
    drain: () => events.splice(0),
  }
}
