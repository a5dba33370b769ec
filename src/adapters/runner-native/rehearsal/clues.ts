import type { JsonObject } from '#domain/app.ts'

/** What is known of an app's code before its first run, and from the failures of earlier ones. */
export type Clues = {
  readonly workflow: JsonObject
  /** Keys that code looked for in vain. */
  readonly keys: readonly string[]
  /** Dates in the formats that code asked for. */
  readonly texts: readonly string[]
}

/** The clues and what failed runs add to them; null when that is nothing. */
export function withFailures(clues: Clues, failures: readonly string[]): Clues | null {
  const keys = [...new Set([...clues.keys, ...failures.flatMap(keyIn)])]
  const texts = [...new Set([...clues.texts, ...failures.flatMap(dateIn)])]
  return keys.length + texts.length > clues.keys.length + clues.texts.length ? { ...clues, keys, texts } : null
}

function keyIn(failure: string): readonly string[] {
  const key = /^KeyError: '(\w{1,60})'$/.exec(failure)?.[1]
  return key === undefined ? [] : [key]
}

/** Python: `… does not match format '%Y-%m-%d'`. */
function dateIn(failure: string): readonly string[] {
  const format = /does not match format '([^']{1,60})'$/.exec(failure)?.[1]
  return format === undefined ? [] : [format.replaceAll(/%(\w)/g, (whole, part: string) => DATE[part] ?? whole)]
}

const DATE: Readonly<Record<string, string>> = { Y: '2026', m: '01', d: '31', H: '08', M: '30', S: '00', y: '26' }
