import { expect } from 'chai'
import type { Disturbance, Entry } from '../soak/history.ts'
import { misplaced, type UploadRow } from '../soak/uploads.ts'

const done: Entry = {
  did: 'upload',
  startMs: 100,
  endMs: 110,
  outcome: 'done',
  device: 'laptop',
  status: 201,
  error: null,
  fileId: 'a',
}
const cutOff: Entry = {
  did: 'breakOff',
  startMs: 100,
  endMs: 110,
  outcome: 'unknown',
  device: 'x',
  status: null,
  error: null,
}
const row: UploadRow = { id: 'a', size: 5, isOwned: true }
const whole = new Map([['a', 5]])
const amid = (name: string): Disturbance => ({ name, startMs: 90, endMs: 120, hitsCache: false })

const told = (
  entries: readonly Entry[],
  rows: readonly UploadRow[],
  disk: ReadonlyMap<string, number>,
  disturbances: readonly Disturbance[] = [],
) => misplaced({ entries, disturbances }, rows, disk)

describe('what uploads of a soak may not leave', () => {
  it('an acknowledged upload that is there, and nothing of one that broke off, are fine', () => {
    expect(told([done, cutOff], [row], whole)).to.deep.equal([])
  })

  it('an acknowledged upload that is not known, not there, or not whole', () => {
    expect(told([done], [], new Map()).join()).to.contain('a: an acknowledged upload is not known')
    expect(told([done], [row], new Map()).join()).to.contain('a: an acknowledged upload is not whole')
    expect(told([done], [row], new Map([['a', 4]])).join()).to.contain('a: an acknowledged upload is not whole')
  })

  it('a part of one that broke off, unless its process may have been killed', () => {
    const left = new Map([['b.part', 3]])
    expect(told([cutOff], [], left)).to.deep.equal(['on the disk and not known: b.part'])
    expect(told([cutOff], [], left, [amid('PostgreSQL paused')]).length).to.equal(1)
    expect(told([cutOff], [], left, [amid('kill -9 of a replica')])).to.deep.equal([])
    expect(told([cutOff], [], new Map([...left, ['c', 1]]), [amid('kill -9 of a replica')]).length).to.equal(1)
  })

  it('a row without bytes, unless the database’s answer may have been lost', () => {
    expect(told([cutOff], [row], new Map())).to.deep.equal(['1 uploads are known and not there'])
    expect(told([cutOff], [row], new Map(), [amid('PostgreSQL slow')])).to.deep.equal([])
  })

  it('an upload of nobody, or more than the quota', () => {
    expect(told([done], [{ ...row, isOwned: false }], whole)).to.deep.equal(["a: an upload is nobody's"])
    expect(told([done], [{ ...row, size: 2 ** 30 }], new Map([['a', 2 ** 30]])).join()).to.contain('beyond the quota')
  })
})
