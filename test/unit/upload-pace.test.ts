import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { expect } from 'chai'
import { flowing } from '#adapters/http/flowing.ts'
import { isPaced, watchPace } from '#adapters/http/upload-pace.ts'
import { DomainError } from '#domain/errors.ts'
import { fakeClock } from '../support/clock.ts'

const TICK_MS = 5_000

/** An upload under way, and somebody who reads all that comes. */
function anUpload() {
  const clock = fakeClock()
  const req = new IncomingMessage(new Socket())
  const watch = watchPace(req, clock.timer)
  const pieces = flowing(req, watch)
  const state = { bytes: 0, thrown: null as unknown }
  return {
    clock,
    req,
    watch,
    pieces,
    state,
    async readAll() {
      try {
        for await (const piece of pieces) state.bytes += piece.length
      } catch (error) {
        state.thrown = error
      }
    },
    /** `bytes` come and are read, then five seconds pass. */
    async send(bytes: number) {
      if (bytes > 0) req.push(Buffer.alloc(bytes))
      for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate)
      clock.advance(TICK_MS)
    },
  }
}

const isTimeout = (error: unknown) => error instanceof DomainError && error.code === 'request_timeout'

describe('the pace of an upload', () => {
  it('lets one be that comes slowly for an hour', async () => {
    const { req, send, readAll, state } = anUpload()
    const reading = readAll()
    for (let tick = 0; tick < 720; tick++) await send(51_000)
    req.push(null)
    await reading
    expect([state.bytes, state.thrown, isPaced(req)]).to.deep.equal([720 * 51_000, null, false])
  })

  it('gives one up after half a minute without a byte, and not before', async () => {
    const { send, readAll, state } = anUpload()
    const reading = readAll()
    await send(5_000_000)
    for (let tick = 0; tick < 5; tick++) await send(0)
    await send(1)
    expect(state.thrown).to.equal(null)
    for (let tick = 0; tick < 6; tick++) await send(0)
    await reading
    expect(isTimeout(state.thrown)).to.equal(true)
  })

  // A byte every five seconds would hold a connection and a file for ever.
  it('gives one up that drips, once a slow start is no excuse any more', async () => {
    const { send, readAll, state } = anUpload()
    const reading = readAll()
    for (let tick = 0; tick < 12; tick++) await send(1)
    expect(state.thrown).to.equal(null)
    await send(1)
    await reading
    expect(isTimeout(state.thrown)).to.equal(true)
  })

  it('does not count the time in which our own store is slow', async () => {
    const { req, clock, pieces } = anUpload()
    req.push(Buffer.alloc(2_000_000))
    await pieces.next()
    req.push(Buffer.alloc(2_000_000))
    for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate)
    clock.advance(3_600_000)
    expect((await pieces.next()).done).to.equal(false)
    req.push(null)
    expect((await pieces.next()).done).to.equal(true)
  })

  // A refused sender who goes on for ever would hold the connection instead.
  it('ends the connection of one that was answered and goes on for two minutes more', async () => {
    const { req, watch, clock, pieces } = anUpload()
    await pieces.return()
    watch.answered()
    clock.advance(119_999)
    expect(req.socket.destroyed).to.equal(false)
    clock.advance(1)
    expect(req.socket.destroyed).to.equal(true)
  })
})
