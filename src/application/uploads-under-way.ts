import { NOTHING_STORED, type Stored, type StoredBy, sumOf } from '#domain/upload-quota.ts'
import type { Uploader } from './ports/uploaded-files.ts'

/**
 * Uploads that this process is taking in. Stores hear of a file at its end only; without this, whoever opens a hundred
 * at once fills the disk with a hundred times what is left to them before the first is refused.
 */
export type UploadsUnderWay = {
  /** Counts one more of this uploader until it `ends`. */
  begin(uploader: Uploader): UploadUnderWay
}

export type UploadUnderWay = {
  /** Of the others, those that began earlier, with all their bytes so far: of two for one place, one gets it. */
  besides(): StoredBy
  came(bytes: number): void
  ends(): void
}

export function makeUploadsUnderWay(): UploadsUnderWay {
  const tallies = new Map<string, Stored>()
  const tallyOf = (key: string) => tallies.get(key) ?? NOTHING_STORED
  return {
    begin({ workspaceId, owner }) {
      const keys = { person: `${owner.kind} ${owner.id}`, workspace: `workspace ${workspaceId}` }
      const earlier = { person: tallyOf(keys.person).files, workspace: tallyOf(keys.workspace).files }
      let ownBytes = 0
      const add = (files: number, bytes: number) => {
        ownBytes += bytes
        for (const key of Object.values(keys)) {
          const next = sumOf(tallyOf(key), { files, bytes })
          if (next.files === 0) tallies.delete(key)
          else tallies.set(key, next)
        }
      }
      const besides = (of: keyof StoredBy): Stored => {
        const { files, bytes } = tallyOf(keys[of])
        return { files: Math.min(earlier[of], files - 1), bytes: bytes - ownBytes }
      }
      add(1, 0)
      return {
        besides: () => ({ person: besides('person'), workspace: besides('workspace') }),
        came: (bytes) => add(0, bytes),
        ends: () => add(-1, -ownBytes),
      }
    },
  }
}
