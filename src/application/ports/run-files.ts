import type { UploadedFile } from '#domain/uploaded-file.ts'

/** The uploads that one run may read: those of whoever started it, for the app that it was started as. */
export interface RunFiles {
  /** Null for every other id, whoever made it up: variables of a run can hold any. */
  find(id: string): Promise<UploadedFile | null>
  /** All of it at once: its size is for the caller to look at first. Null as above, and when the bytes are gone. */
  read(id: string): Promise<Uint8Array | null>
  /** Where others can fetch a file that was found, for a short time; null when nobody outside can. */
  linkTo(id: string): string | null
}
