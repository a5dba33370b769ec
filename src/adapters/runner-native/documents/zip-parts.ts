import { strFromU8, unzipSync } from 'fflate'
import { DocumentFault } from './document-fault.ts'

const MAX_ENTRIES = 5_000
/** A few kilobytes can unfold into gigabytes: what an archive says of itself is checked before anything is unpacked. */
const MAX_UNPACKED_BYTES = 64 * 1024 * 1024

/** Parts of an archive as text, by path; only those that `isWanted` names are unpacked. */
export function zipParts(bytes: Uint8Array, isWanted: (path: string) => boolean): ReadonlyMap<string, string> {
  let entries = 0
  let unpacked = 0
  let isEncrypted = false
  const unzip = () =>
    unzipSync(bytes, {
      filter({ name, originalSize }) {
        if (++entries > MAX_ENTRIES) throw new DocumentFault(`holds more than ${MAX_ENTRIES} parts`)
        if (name === 'EncryptedPackage') isEncrypted = true
        if (!isWanted(name)) return false
        unpacked += originalSize
        if (unpacked > MAX_UNPACKED_BYTES) throw new DocumentFault('unfolds into more than 64 MiB')
        return true
      },
    })
  try {
    const parts = Object.entries(unzip()).map(([path, part]): [string, string] => [path, strFromU8(part)])
    if (isEncrypted) throw new DocumentFault('is encrypted')
    return new Map(parts)
  } catch (error) {
    if (error instanceof DocumentFault) throw error
    // An encrypted office file is no archive but a compound file.
    if (isCompound(bytes)) throw new DocumentFault('is encrypted, or of an old format', { cause: error })
    throw new DocumentFault('is broken, or of another kind than its name says', { cause: error })
  }
}

function isCompound(bytes: Uint8Array): boolean {
  return [0xd0, 0xcf, 0x11, 0xe0].every((byte, at) => bytes[at] === byte)
}
