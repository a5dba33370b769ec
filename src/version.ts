import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** The version in package.json, from the sources and from `dist` alike. */
export async function packageVersion(): Promise<string> {
  for (const up of ['..', '../..']) {
    const path = join(import.meta.dirname, up, 'package.json')
    const found: unknown = existsSync(path) ? JSON.parse(await readFile(path, 'utf8')) : null
    if (typeof found === 'object' && found !== null && 'version' in found) return String(found.version)
  }
  return '0.0.0'
}
