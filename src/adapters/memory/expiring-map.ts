import type { Clock } from '#application/ports/clock.ts'

type Kept<V> = { readonly value: V; readonly untilMs: number }

const SWEEP_EVERY_MS = 30_000

/**
 * A bounded map whose entries are gone at their instant. Swept while it is written to, so that it needs no timer that
 * would keep the process alive.
 */
export class ExpiringMap<V> {
  readonly #entries = new Map<string, Kept<V>>()
  readonly #now: Clock
  readonly #maxEntries: number
  #sweptAtMs: number

  constructor(now: Clock, maxEntries: number) {
    this.#now = now
    this.#maxEntries = maxEntries
    this.#sweptAtMs = now()
  }

  get size(): number {
    return this.#entries.size
  }

  get(key: string): V | undefined {
    const kept = this.#entries.get(key)
    return kept !== undefined && this.#now() < kept.untilMs ? kept.value : undefined
  }

  untilMs(key: string): number {
    return this.#entries.get(key)?.untilMs ?? this.#now()
  }

  /** Whether there is room for one more key; `set` itself never refuses. */
  hasRoom(key: string): boolean {
    this.#sweep(this.#entries.size >= this.#maxEntries)
    return this.#entries.has(key) || this.#entries.size < this.#maxEntries
  }

  /** Also makes the key the youngest. */
  set(key: string, value: V, untilMs: number): void {
    this.#sweep(false)
    this.#entries.delete(key)
    this.#entries.set(key, { value, untilMs })
  }

  delete(key: string): void {
    this.#entries.delete(key)
  }

  dropOldest(): void {
    for (const key of this.#entries.keys()) return void this.#entries.delete(key)
  }

  #sweep(force: boolean): void {
    const nowMs = this.#now()
    // A full map is swept at most once a second: a flood must not turn every write into a scan.
    if (nowMs - this.#sweptAtMs < (force ? 1000 : SWEEP_EVERY_MS)) return
    this.#sweptAtMs = nowMs
    for (const [key, { untilMs }] of this.#entries) if (nowMs >= untilMs) this.#entries.delete(key)
  }
}
