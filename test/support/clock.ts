import type { Clock, Timer } from '#application/ports/clock.ts'

export type FakeClock = { readonly now: Clock; readonly timer: Timer; advance(ms: number): void }

/** Time that only tests move. `advance` fires what falls due, in order, each at its own instant. */
export function fakeClock(startMs = Date.UTC(2026, 0, 1)): FakeClock {
  let nowMs = startMs
  const pending = new Set<{ readonly atMs: number; readonly fire: () => void }>()
  return {
    now: () => nowMs,
    timer(delayMs, fire) {
      const entry = { atMs: nowMs + delayMs, fire }
      pending.add(entry)
      return () => void pending.delete(entry)
    },
    advance(ms) {
      const untilMs = nowMs + ms
      for (;;) {
        const [next] = [...pending].filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)
        if (next === undefined) break
        pending.delete(next)
        nowMs = Math.max(nowMs, next.atMs)
        next.fire()
      }
      nowMs = untilMs
    },
  }
}
