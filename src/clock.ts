import type { Timer } from '#application/ports/clock.ts'

export const now = Date.now

export const timer: Timer = (delayMs, fire) => {
  // Nothing here is worth keeping a stopping process alive for.
  const handle = setTimeout(fire, delayMs).unref()
  return () => clearTimeout(handle)
}
