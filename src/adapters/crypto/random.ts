import { randomBytes as draw } from 'node:crypto'

/** `count` bytes from the operating system's CSPRNG. */
export function randomBytes(count: number): Uint8Array {
  return draw(count)
}
