import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'
import { EgressFailure } from './http-egress.ts'

/**
 * The whole body, unpacked. Stops reading as soon as it is too large: a server may send for ever, and a small packed
 * body may unpack to anything.
 * @throws EgressFailure when it is larger than `maxBytes` or cannot be unpacked
 */
export async function readBody(body: Readable, encoding: string, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  const collect = async (source: AsyncIterable<Uint8Array>): Promise<void> => {
    for await (const chunk of source) {
      size += chunk.length
      if (size > maxBytes) throw new EgressFailure('failed', `the answer is larger than ${maxBytes} bytes`)
      chunks.push(chunk)
    }
  }
  const unpacker = unpackerOf(encoding.trim().toLowerCase())
  if (unpacker === null) await collect(body)
  else {
    try {
      await pipeline(body, unpacker, collect)
    } catch (error) {
      if (error instanceof Error && 'code' in error && String(error.code).startsWith('Z_')) {
        throw new EgressFailure('failed', 'the answer cannot be unpacked', { cause: error })
      }
      throw error
    }
  }
  return Buffer.concat(chunks)
}

function unpackerOf(encoding: string) {
  switch (encoding) {
    case '':
    case 'identity':
      return null
    case 'gzip':
    case 'x-gzip':
      return createGunzip()
    case 'deflate':
      return createInflate()
    case 'br':
      return createBrotliDecompress()
    default:
      throw new EgressFailure('failed', 'the answer is packed in a way that is not understood')
  }
}
