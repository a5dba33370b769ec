import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { Readable } from 'node:stream'
import { expect } from 'chai'
import fc from 'fast-check'
import Koa from 'koa'
import { flowing } from '#adapters/http/flowing.ts'
import { readFilePart } from '#adapters/http/multipart.ts'
import { DomainError } from '#domain/errors.ts'
import { allOf } from '../support/all-of.ts'
import { fakeClock } from '../support/clock.ts'

/** A request whose body comes in exactly these pieces. */
function contextOf(pieces: readonly Uint8Array[], type: string) {
  const req = new IncomingMessage(new Socket())
  req.method = 'POST'
  req.headers = { 'content-type': type, 'transfer-encoding': 'chunked' }
  for (const piece of pieces) req.push(piece)
  req.push(null)
  return new Koa().createContext(req, new ServerResponse(req))
}

/** The body cut at random places, also inside of delimiters. */
function cut(body: Buffer, at: readonly number[]): Buffer[] {
  const places = [...new Set(at.map((place) => place % (body.length + 1)))].toSorted((a, b) => a - b)
  return [0, ...places].map((from, index) => body.subarray(from, places[index] ?? body.length))
}

const cuts = fc.array(fc.nat(100_000), { maxLength: 40 })

describe('files in forms', () => {
  it('come out byte for byte, however the network cuts the body', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 3000 }), cuts, async (bytes, at) => {
        const form = new FormData()
        form.append('before', 'x')
        // Bytes that look like the beginning of a delimiter, or like half of a line end.
        const content = Buffer.concat([Buffer.from('\r\n--'), Buffer.from(bytes), Buffer.from('\r\n-\r')])
        form.append('file', new Blob([content]), 'a.txt')
        form.append('after', 'y')
        const packed = new Response(form)
        const type = packed.headers.get('content-type') ?? ''
        const file = await readFilePart(
          contextOf(cut(Buffer.from(await packed.bytes()), at), type),
          'file',
          fakeClock().timer,
        )
        expect(file.name).to.equal('a.txt')
        expect(Buffer.concat(await allOf(file.bytes)).equals(content)).to.equal(true)
      }),
      { numRuns: 200 },
    )
  })

  it('that are cut off, or anything else, are refused and break nothing', async () => {
    const whole = Buffer.from('--B\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nwords\r\n--B--')
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), fc.uint8Array({ maxLength: 5 }), cuts, async (end, noise, at) => {
        const body = Buffer.concat([whole.subarray(0, end), Buffer.from(noise)])
        fc.pre(!body.includes('--B--'))
        const read = readFilePart(
          contextOf(cut(body, at), 'multipart/form-data; boundary=B'),
          'file',
          fakeClock().timer,
        )
        const outcome = await read.then(({ bytes }) => allOf(bytes)).catch((error: unknown) => error)
        expect(outcome).to.be.instanceOf(DomainError)
      }),
      { numRuns: 200 },
    )
  })
})

describe('a body that nobody reads on', () => {
  // A store that is slower than the network must slow the sender down, not fill the memory.
  it('holds no more than a megabyte', async () => {
    let told = 0
    const endless = new Readable({
      read() {
        told += 65_536
        this.push(Buffer.alloc(65_536))
      },
    })
    const pieces = flowing(endless)
    await pieces.next()
    for (let turn = 0; turn < 200; turn++) await new Promise(setImmediate)
    expect(told).to.be.lessThan(1_100_000)
    await pieces.return()
    endless.destroy()
  })

  it('is a fault when the sender has gone, before or amid the reading', async () => {
    for (const isStarted of [false, true]) {
      const stream = new Readable({ read() {} })
      if (isStarted) stream.push(Buffer.from('x'))
      const pieces = flowing(stream)
      if (isStarted) await pieces.next()
      stream.destroy()
      let thrown: unknown = null
      await pieces.next().catch((error: unknown) => {
        thrown = error
      })
      expect(thrown).to.be.instanceOf(Error)
    }
  })
})
