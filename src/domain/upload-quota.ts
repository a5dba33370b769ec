/** Uploads, counted and summed. */
export type Stored = { readonly files: number; readonly bytes: number }

/** What a person has stored, in all workspaces, and what a workspace has, of all people. */
export type StoredBy = { readonly person: Stored; readonly workspace: Stored }

/** The most that may be stored at once; 0 is no bound. */
export type UploadQuota = StoredBy

/** Which bound would be passed. */
export type OverQuota = { readonly of: keyof UploadQuota; readonly what: keyof Stored; readonly max: number }

const MIB = 1024 * 1024

/** The bounds that hold unless an operator says otherwise: a person fills no more than a tenth of their workspace's. */
export const USUAL_UPLOAD_QUOTA: UploadQuota = {
  person: { files: 10_000, bytes: 5120 * MIB },
  workspace: { files: 50_000, bytes: 51_200 * MIB },
}

/** Whether there is a bound at all. */
export function isBounded(bound: Stored): boolean {
  return bound.files > 0 || bound.bytes > 0
}

/** Whether anything has to be counted at all. */
export function isBoundedAnywhere({ person, workspace }: UploadQuota): boolean {
  return isBounded(person) || isBounded(workspace)
}

export const NOTHING_STORED: Stored = { files: 0, bytes: 0 }

/** The first bound that `coming` would pass beside what is stored, the person's own before the workspace's. */
export function overQuota(stored: StoredBy, coming: Stored, quota: UploadQuota): OverQuota | null {
  for (const whose of ['person', 'workspace'] as const) {
    for (const what of ['files', 'bytes'] as const) {
      const max = quota[whose][what]
      if (max > 0 && stored[whose][what] + coming[what] > max) return { of: whose, what, max }
    }
  }
  return null
}

export function sumOf(one: Stored, other: Stored): Stored {
  return { files: one.files + other.files, bytes: one.bytes + other.bytes }
}
