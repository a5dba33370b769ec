import type { OverQuota, StoredBy, UploadQuota } from '#domain/upload-quota.ts'
import type { UploadedFile } from '#domain/uploaded-file.ts'
import type { Owner } from './conversation-store.ts'

/** Whose files, and in which app. */
export type FileScope = { readonly appId: string; readonly owner: Owner }

/** Who brings a file, and where to. */
export type Uploader = Pick<UploadedFile, 'workspaceId' | 'owner'>

/** What is known of uploaded files; their bytes are in a `FileStore`. */
export interface UploadedFiles {
  /** Adds it, or tells which bound it would pass and adds nothing. However many are added at once, no bound is passed. */
  add(file: UploadedFile, quota: UploadQuota): Promise<OverQuota | null>
  /** What the person has stored, and the workspace. */
  stored(uploader: Uploader): Promise<StoredBy>
  /** For whoever holds a link; everybody else asks for their own. */
  find(id: string): Promise<UploadedFile | null>
  /** Those of `ids` that are the owner's own and of this app; anything else is left out, as unknown ids are. */
  own(ids: readonly string[], scope: FileScope): Promise<readonly UploadedFile[]>
  /** Forgets at most `max` files that are older than `cutoffMs`, the oldest first, and names them. */
  forget(cutoffMs: number, max: number): Promise<readonly string[]>
  /** Those of `ids` that are known. */
  known(ids: readonly string[]): Promise<ReadonlySet<string>>
}
