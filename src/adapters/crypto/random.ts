import { randomFillSync } from 'node:crypto'

/** One draw from the operating system serves many small ones; a call of its own costs more than the rest of them. */
const POOL = Buffer.alloc(4096)
let used = POOL.length

/** `count` bytes from the operating system's CSPRNG. */
export function randomBytes(count: number): Uint8Array {
  if (count > POOL.length) return randomFillSync(new Uint8Array(count))
  if (used + count > POOL.length) {
    randomFillSync(POOL)
    used = 0
  }
  const drawn = Uint8Array.from(POOL.subarray(used, used + count))
  // What was handed out is somebody's secret, and of no use to whoever reads this process's memory later.
  POOL.fill(0, used, used + count)
  used += count
  return drawn
}
