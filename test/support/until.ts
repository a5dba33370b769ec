const PATIENCE_MS = 10_000

/** Waits for what another part does soon and tells nobody; @throws Error with the condition after ten seconds. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`not within ${PATIENCE_MS} ms: ${holds}`)
    await new Promise(setImmediate)
  }
}
