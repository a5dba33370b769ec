import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import type { Bytes, FileStore } from '#application/ports/file-store.ts'
import { allOf } from '../support/all-of.ts'

type OpenFileStore = () => Promise<{
  store: FileStore
  /** Whether anything is kept, in whatever form; null where nobody can look. */
  isEmpty: (() => Promise<boolean>) | null
  close(): Promise<void>
}>

/** What every FileStore promises. */
export function fileStoreContract(name: string, open: OpenFileStore): void {
  describe(`FileStore contract: ${name}`, function () {
    this.timeout(20_000)
    let opened: Awaited<ReturnType<OpenFileStore>>
    beforeEach(async () => {
      opened = await open()
    })
    afterEach(() => opened.close())

    for (const [what, sizes] of [
      ['nothing', []],
      ['one byte', [1]],
      ['many pieces', [65_536, 1, 0, 65_535, 400_000]],
      // Past what any store takes in one request.
      ['twenty megabytes', Array.from({ length: 320 }, () => 65_536)],
    ] as const) {
      it(`gives back ${what}, byte for byte, as often as it is asked`, async () => {
        const id = randomUUID()
        const pieces = sizes.map((size, at) => piece(size, at))
        // Copies: what a store was given is its own.
        await opened.store.put(id, told(pieces.map((one) => Buffer.from(Uint8Array.from(one).buffer))))
        for (let again = 0; again < 2; again++) {
          expect((await all(opened.store, id))?.equals(Buffer.concat(pieces))).to.equal(true)
        }
      })
    }

    for (const sizes of [[0], [70_000], Array.from({ length: 150 }, () => 65_536)]) {
      const total = sizes.reduce((sum, size) => sum + size, 0)
      it(`keeps nothing of bytes that break off after ${total}, and throws what they threw`, async () => {
        const id = randomUUID()
        const fault = new Error('cut off')
        let thrown: unknown = null
        await opened.store.put(id, told(sizes.map(piece), fault)).catch((error: unknown) => {
          thrown = error
        })
        expect(thrown).to.equal(fault)
        expect(await opened.store.open(id)).to.equal(null)
        expect(await idsOf(opened.store)).to.not.include(id)
        expect(await opened.isEmpty?.()).to.be.oneOf([true, undefined])
      })
    }

    it('knows no id that it was never given, whatever it looks like', async () => {
      expect(await opened.store.open(randomUUID())).to.equal(null)
      expect(await opened.store.remove(randomUUID())).to.equal(false)
    })

    it('removes a file once, and nothing is left to open or to list', async () => {
      const [kept, gone] = [randomUUID(), randomUUID()]
      for (const id of [kept, gone]) await opened.store.put(id, told([piece(10, 1)]))
      expect(await opened.store.remove(gone)).to.equal(true)
      expect(await opened.store.remove(gone)).to.equal(false)
      expect(await opened.store.open(gone)).to.equal(null)
      expect(await idsOf(opened.store)).to.deep.equal([kept])
    })

    it('keeps twenty files that come at once apart', async () => {
      const ids = Array.from({ length: 20 }, () => randomUUID())
      await Promise.all(ids.map((id, at) => opened.store.put(id, told([piece(1000, at), piece(50_000, at)]))))
      for (const [at, id] of ids.entries()) {
        expect((await all(opened.store, id))?.equals(Buffer.concat([piece(1000, at), piece(50_000, at)]))).to.equal(
          true,
        )
      }
      expect((await idsOf(opened.store)).toSorted()).to.deep.equal(ids.toSorted())
    })

    it('lets go of a file whose reader leaves early', async () => {
      const id = randomUUID()
      await opened.store.put(id, told(Array.from({ length: 40 }, () => piece(65_536, 7))))
      for await (const first of (await opened.store.open(id)) ?? []) {
        expect(first.length).to.be.greaterThan(0)
        break
      }
      expect(await opened.store.remove(id)).to.equal(true)
    })
  })
}

function piece(size: number, seed: number): Buffer {
  return Buffer.alloc(size, `${seed} piece `)
}

async function* told(pieces: readonly Buffer[], fault: Error | null = null): Bytes & AsyncGenerator<Uint8Array> {
  for (const one of pieces) yield one
  if (fault !== null) throw fault
}

async function all(store: FileStore, id: string): Promise<Buffer | null> {
  const bytes = await store.open(id)
  return bytes === null ? null : Buffer.concat(await allOf(bytes))
}

async function idsOf(store: FileStore): Promise<string[]> {
  return (await allOf(store.list())).map(({ id }) => id)
}
