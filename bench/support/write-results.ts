import { writeFileSync } from 'node:fs'

/** Prints what was found and keeps it as `results-<name>.json`. */
export function writeResults(name: string, results: object): void {
  const text = JSON.stringify(results, null, 2)
  console.log(text)
  writeFileSync(new URL(`../results-${name}.json`, import.meta.url), `${text}\n`)
}
