import type { RunJob } from '#application/ports/app-runner.ts'
import type { JsonObject } from '#domain/app.ts'
import { textAt } from '#domain/json.ts'
import type { UploadedFile } from '#domain/uploaded-file.ts'

/** How pictures are handed to models: in the request, or as an address that the model fetches. */
export type ImagesAs = 'base64' | 'url'

/** Providers refuse larger ones, and each stands in memory once more as text. */
const MAX_PICTURE_BYTES = 20 * 1024 * 1024

/** Why an upload cannot be used, in words for whoever runs the app. */
export class StoredFileFault extends Error {
  override readonly name = 'StoredFileFault'
}

/** Whether a file's bytes are here and not elsewhere. */
export function isStored(file: JsonObject): boolean {
  return file.transfer_method === 'local_file'
}

/** @throws StoredFileFault for an id that is none of the caller's own, a file that is gone, or one that is too large */
export async function readStored(
  { files }: Pick<RunJob, 'files'>,
  id: string,
  maxBytes: number,
): Promise<UploadedFile & { readonly bytes: Uint8Array }> {
  const file = (await files?.find(id)) ?? null
  if (file === null) throw new StoredFileFault('a file was not uploaded by whoever runs the app, or is gone')
  if (file.size > maxBytes) throw new StoredFileFault(`${file.name} has more than ${maxBytes} bytes`)
  const bytes = (await files?.read(id)) ?? null
  if (bytes === null) throw new StoredFileFault(`${file.name} is gone`)
  return { ...file, bytes }
}

/**
 * A picture as a model can take it. What is elsewhere stays there: the model fetches it.
 * @throws StoredFileFault as `readStored`
 */
export async function pictureUrl(job: RunJob, imagesAs: ImagesAs, file: JsonObject): Promise<string> {
  if (!isStored(file)) return textAt(file, 'url')
  const id = textAt(file, 'related_id')
  // A link is only made for what the caller may read: variables of a run can name any id.
  const found = imagesAs === 'url' ? ((await job.files?.find(id)) ?? null) : null
  const link = found === null ? null : (job.files?.linkTo(found.id) ?? null)
  if (link !== null) return link
  const { mimeType, bytes } = await readStored(job, id, MAX_PICTURE_BYTES)
  return `data:${mimeType};base64,${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')}`
}
