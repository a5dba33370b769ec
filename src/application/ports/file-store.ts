/** A file's bytes as they come. */
export type Bytes = AsyncIterable<Uint8Array>

/** The bytes of uploaded files, by id. Ids are ours: a store may use them in paths. */
export interface FileStore {
  /**
   * Keeps all of `bytes`, or nothing when reading them throws, which is thrown on; resolves once they will outlive a
   * crash. Never holds more than a few pieces in memory. A piece is the store's from when it is read: it may free its
   * memory, and whoever looks at it later finds it empty.
   */
  put(id: string, bytes: Bytes): Promise<void>
  /** Null for an id without bytes. The reader takes as long as it likes; leaving it early frees it. */
  open(id: string): Promise<Bytes | null>
  /** Nothing is left of the id afterwards, also of what was never finished. False when there was nothing. */
  remove(id: string): Promise<boolean>
  /** Every id of which anything is kept, finished or not, and when that was last written; in no order. */
  list(): AsyncIterable<{ readonly id: string; readonly writtenAtMs: number }>
}
