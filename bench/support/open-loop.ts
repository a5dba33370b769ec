import { setTimeout as pause } from 'node:timers/promises'
import { Pool } from 'undici'
import type { Load } from './load.ts'
import { quantile } from './numbers.ts'

export type Delays = { readonly p50Ms: number; readonly p99Ms: number }

/** So many that no request waits for a connection. */
const CONNECTIONS = 128
const TICK_MS = 1

/** Connections that last longer than a round: opening them is not what is measured. */
export function openPool(origin: string): Pool {
  return new Pool(origin, { connections: CONNECTIONS, pipelining: 1 })
}

/**
 * Sends `perSecond` requests a second for `seconds`, whether earlier ones were answered or not, so that a server that
 * stalls is met by as many as one that does not.
 * @throws Error when an answer has another status than expected
 */
export async function offer(
  pool: Pool,
  { next, expectStatus }: Pick<Load, 'next' | 'expectStatus'>,
  perSecond: number,
  seconds: number,
): Promise<Delays> {
  const delays: number[] = []
  async function shoot(): Promise<void> {
    const { method, path, headers, body } = next()
    const sentAtMs = performance.now()
    const response = await pool.request({ method, path, headers: { ...headers }, body: body ?? null })
    const text = await response.body.text()
    delays.push(performance.now() - sentAtMs)
    if (response.statusCode !== expectStatus) throw new Error(`${path} answered ${response.statusCode}: ${text}`)
  }
  const flights: Promise<void>[] = []
  const startedAtMs = performance.now()
  for (let due = 0; due < perSecond * seconds; await pause(TICK_MS)) {
    due = Math.floor(((performance.now() - startedAtMs) / 1000) * perSecond)
    while (flights.length < due) flights.push(shoot())
  }
  await Promise.all(flights)
  const sorted = delays.toSorted((a, b) => a - b)
  return { p50Ms: quantile(sorted, 0.5), p99Ms: quantile(sorted, 0.99) }
}
