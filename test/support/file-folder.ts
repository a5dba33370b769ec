import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export type FileFolder = {
  readonly path: string
  /** The paths of all files below it, half-written ones too. */
  files(): Promise<readonly string[]>
  remove(): Promise<void>
}

/** A folder of its own for what a store keeps on disk. */
export async function aFileFolder(): Promise<FileFolder> {
  const path = await mkdtemp(join(tmpdir(), 'latchkey-files-'))
  return {
    path,
    async files() {
      const entries = await readdir(path, { recursive: true, withFileTypes: true })
      return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name))
    },
    remove: () => rm(path, { recursive: true }),
  }
}
