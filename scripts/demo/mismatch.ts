/** The demo saw something else than it should: its message is all a reader needs. */
export class Mismatch extends Error {
  override readonly name = 'Mismatch'
}

/** @throws Mismatch unless `text` contains `wanted`. */
export function expectText(what: string, text: string, wanted: string): void {
  if (!text.includes(wanted)) throw new Mismatch(`${what}: expected "${wanted}", got:\n${text}`)
}
