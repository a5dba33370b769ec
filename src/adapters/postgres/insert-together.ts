/** Inserts all rows in one statement: all of them or, when it throws, none. */
export type InsertTogether<Row> = (rows: readonly Row[]) => Promise<void>

type Waiting<Row> = { readonly row: Row; readonly resolve: () => void; readonly reject: (error: unknown) => void }

const MAX_TOGETHER = 500
/** Of the event loop; about a millisecond on a busy server. */
const MAX_TURNS = 5

/**
 * Group commit: rows that come while a statement is under way go with the next one, so a busy server pays for one
 * statement where it would pay for dozens, and a quiet one waits for nobody. The embedded database holds up the event
 * loop meanwhile, so that nothing comes: a statement therefore also waits for the turns that still bring rows, a few at
 * most. Each promise settles with its row's fate.
 */
export function insertTogether<Row>(insert: InsertTogether<Row>): (row: Row) => Promise<void> {
  let waiting: Waiting<Row>[] = []
  let isBusy = false

  async function drain(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting.slice(0, MAX_TOGETHER)
      waiting = waiting.slice(MAX_TOGETHER)
      await settle(batch)
    }
    isBusy = false
  }

  function drainWhenQuiet(seen: number, turns: number): void {
    setImmediate(() => {
      const isGrowing = waiting.length > seen && turns > 1
      if (isGrowing) drainWhenQuiet(waiting.length, turns - 1)
      else void drain()
    })
  }

  async function settle(batch: readonly Waiting<Row>[]): Promise<void> {
    try {
      await insert(batch.map(({ row }) => row))
      for (const { resolve } of batch) resolve()
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
  }

  return (row) =>
    new Promise<void>((resolve, reject) => {
      waiting.push({ row, resolve, reject })
      if (isBusy) return
      isBusy = true
      drainWhenQuiet(waiting.length, MAX_TURNS)
    })
}
