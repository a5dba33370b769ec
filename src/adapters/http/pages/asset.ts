import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'

/** A file that pages link to. */
export type Asset = {
  readonly name: string
  readonly type: string
  readonly etag: string
  readonly bytes: Buffer
  /** The same, compressed once: these files are the same for everybody and hold no secret that a size could tell. */
  readonly gzipped: Buffer
}

/** A file under its name, with the tag that tells its versions apart. */
export function assetOf(name: string, type: string, bytes: Buffer): Asset {
  const etag = createHash('sha256').update(bytes).digest('base64url').slice(0, 22)
  return { name, type, etag, bytes, gzipped: gzipSync(bytes) }
}
