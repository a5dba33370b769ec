let turn: Promise<void> | null = null

/**
 * Resolves when the event loop has taken in everything that came with this turn. Answers that wait for it leave together,
 * so that their reader, a proxy or client on this machine, is woken once and not for each: a third of a small answer's
 * cost. A request that comes alone waits for nobody.
 */
export function endOfTurn(): Promise<void> {
  turn ??= new Promise((resolve) => {
    setImmediate(() => {
      turn = null
      resolve()
    })
  })
  return turn
}
