import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Something that an installation without developers' tools holds. */
export type Part = {
  readonly name: string
  /** Empty for what comes inside a file of this repository. */
  readonly version: string
  /** An SPDX expression, or `unknown`. */
  readonly licence: string
  /** As npm writes it: the algorithm, a hyphen, the digest in base64. */
  readonly integrity: string | null
}

type Locked = {
  readonly version?: string
  readonly license?: string
  readonly integrity?: string
  readonly dev?: boolean
  readonly optional?: boolean
}

/** What `src/adapters/runner-native/code/jinja2.zip` holds. */
const BUNDLED: readonly Part[] = [
  { name: 'Jinja2', version: '', licence: 'BSD-3-Clause', integrity: null },
  { name: 'MarkupSafe', version: '', licence: 'BSD-3-Clause', integrity: null },
]

/** From the lock file: `npm sbom --omit=dev` forgets what a developers' tool also needs. */
export async function installedParts(): Promise<readonly Part[]> {
  const lock = await readFile(join(import.meta.dirname, '../package-lock.json'), 'utf8')
  const { packages } = JSON.parse(lock) as { readonly packages: Readonly<Record<string, Locked>> } // npm writes it
  const installed = Object.entries(packages)
    .filter(([path, { dev, optional }]) => path !== '' && dev !== true && optional !== true)
    .map(([path, { version = '', license: licence = 'unknown', integrity = null }]): Part => {
      return {
        name: path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length),
        version,
        licence,
        integrity,
      }
    })
  return [...installed, ...BUNDLED].toSorted((one, other) => (one.name < other.name ? -1 : 1))
}
