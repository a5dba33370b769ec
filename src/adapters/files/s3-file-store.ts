import { S3mini } from 's3mini'
import type { Bytes, FileStore } from '#application/ports/file-store.ts'
import { DomainError } from '#domain/errors.ts'

/** A bucket of an S3-compatible service, addressed by path: every such service understands that. */
export type S3Settings = {
  readonly endpoint: string
  readonly bucket: string
  readonly region: string
  readonly accessKey: string
  readonly secretKey: string
  /** In front of every key, so that a bucket can be shared. */
  readonly prefix: string
}

/** The protocol allows no smaller part but the last (5 MiB); one is in memory at a time. */
const PART_BYTES = 8 * 1024 * 1024
/** Of one request, the reading of its answer included. */
const TIMEOUT_MS = 300_000
const TYPE = 'application/octet-stream'

/**
 * Files as objects. What fits in one part is one request; the rest goes up part by part and appears when complete.
 * @throws DomainError `service_unavailable` from all of it when the service cannot be reached, refuses us or is at fault
 */
export function createS3FileStore(settings: S3Settings): FileStore {
  const { endpoint, bucket, region, accessKey, secretKey, prefix } = settings
  const s3 = new S3mini({
    accessKeyId: accessKey,
    secretAccessKey: secretKey,
    endpoint: `${endpoint.replace(/\/$/, '')}/${bucket}`,
    region,
    requestAbortTimeout: TIMEOUT_MS,
    fetch: fetchOrSay,
  })
  const keyOf = (id: string) => `${prefix}${id}`

  async function putInParts(key: string, parts: AsyncIterator<Buffer>, first: Buffer): Promise<void> {
    const uploadId = await s3.getMultipartUploadId(key, TYPE)
    try {
      const done = [await s3.uploadPart(key, uploadId, first, 1)]
      for (let part = await parts.next(); part.done !== true; part = await parts.next()) {
        done.push(await s3.uploadPart(key, uploadId, part.value, done.length + 1))
      }
      await s3.completeMultipartUpload(key, uploadId, done)
    } catch (error) {
      // Parts of what was given up are stored, and paid for, until somebody says so.
      await s3.abortMultipartUpload(key, uploadId).catch(() => {})
      throw error
    }
  }

  return {
    async put(id, bytes) {
      const parts = inParts(bytes)
      const first = await parts.next()
      const piece = first.done === true ? Buffer.alloc(0) : first.value
      if (piece.length < PART_BYTES) {
        await s3.putObject(keyOf(id), piece, TYPE)
        return
      }
      await putInParts(keyOf(id), parts, piece)
    },

    async open(id) {
      const response = await s3.getObjectResponse(keyOf(id))
      return response === null ? null : bytesOf(response)
    },

    async remove(id) {
      // The protocol deletes what is not there as gladly.
      const there = (await s3.objectExists(keyOf(id))) === true
      if (there) await s3.deleteObject(keyOf(id))
      return there
    },

    async *list() {
      let from: string | undefined
      do {
        const page = await s3.listObjectsPaged('/', prefix, 1000, from)
        for (const { Key, LastModified } of page?.objects ?? []) {
          yield { id: Key.slice(prefix.length), writtenAtMs: new Date(LastModified).getTime() }
        }
        from = page?.nextContinuationToken
      } while (from !== undefined)
    },
  }
}

const fetchOrSay: typeof fetch = async (...asked) => {
  let response: Response
  try {
    response = await fetch(...asked)
  } catch (error) {
    throw new DomainError('service_unavailable', {}, { cause: error })
  }
  if (response.status < 500 && response.status !== 401 && response.status !== 403) return response
  await response.body?.cancel()
  const cause = new Error(`the object store answered ${response.status}`)
  throw new DomainError('service_unavailable', {}, { cause })
}

/** Whole parts, and a last one that may be smaller; nothing for no bytes. */
async function* inParts(bytes: Bytes): AsyncGenerator<Buffer, undefined> {
  let pieces: Uint8Array[] = []
  let length = 0
  for await (const piece of bytes) {
    pieces.push(piece)
    length += piece.length
    while (length >= PART_BYTES) {
      const all = Buffer.concat(pieces)
      yield all.subarray(0, PART_BYTES)
      pieces = [all.subarray(PART_BYTES)]
      length = all.length - PART_BYTES
    }
  }
  if (length > 0) yield Buffer.concat(pieces)
}

async function* bytesOf(response: Response): AsyncGenerator<Uint8Array> {
  for await (const piece of response.body ?? []) yield piece
}
