import type { Clock } from '#application/ports/clock.ts'

const SWEEP_EVERY = 1024

/** A map whose entries vanish at their instant. Sweeps now and then on writes, so it needs no timer. */
export class ExpiringMap<Value> {
  readonly #entries = new Map<string, { value: Value; expiresAtMs: number }>()
  readonly #now: Clock
  #writes = 0

  constructor(now: Clock) {
    this.#now = now
  }

  get(key: string): Value | null {
    const entry = this.#entries.get(key)
    if (entry === undefined) return null
    if (this.#now() < entry.expiresAtMs) return entry.value
    this.#entries.delete(key)
    return null
  }

  /** Epoch milliseconds at which a present entry goes, or null. */
  expiryOf(key: string): number | null {
    return this.get(key) === null ? null : (this.#entries.get(key)?.expiresAtMs ?? null)
  }

  set(key: string, value: Value, expiresAtMs: number): void {
    this.#entries.set(key, { value, expiresAtMs })
    this.#writes += 1
    if (this.#writes % SWEEP_EVERY === 0) this.#sweep()
  }

  delete(key: string): void {
    this.#entries.delete(key)
  }

  #sweep(): void {
    for (const [key, { expiresAtMs }] of this.#entries) if (this.#now() >= expiresAtMs) this.#entries.delete(key)
  }
}
