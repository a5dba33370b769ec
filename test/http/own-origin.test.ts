import { request } from 'node:http'
import { expect } from 'chai'
import { aPlace, type Place } from './place.ts'

describe('whose pages may send', () => {
  let place: Place
  before(async () => {
    place = await aPlace()
  })
  after(() => place.close())

  /** As a browser would that reached this server under `host`; fetch does not let a test choose that. */
  function signInUnder(host: string, origin = `http://${host}`): Promise<number | undefined> {
    return new Promise((resolve, reject) => {
      const headers = { Host: host, Origin: origin, 'Content-Type': 'application/json' }
      const sent = request(`${place.url}/console/api/login`, { method: 'POST', headers }, (reply) => {
        reply.resume()
        resolve(reply.statusCode)
      })
      sent.on('error', reject).end('{"email":"x@example.test","password":"wrong"}')
    })
  }

  // DNS rebinding: a stranger's page whose name now points here has the same origin as its requests.
  it('a name that nobody configured is not ours, whatever the Host header says', async () => {
    expect(await signInUnder('evil.example')).to.equal(403)
    expect(await signInUnder('127.0.0.1.evil.example:5001')).to.equal(403)
    expect(await signInUnder('evil.example;127.0.0.1', 'http://evil.example')).to.equal(403)
    // No host at all, so nobody has to ask whose.
    expect(await signInUnder('evil.example#@127.0.0.1', 'http://evil.example')).to.equal(400)
  })

  it('an address and localhost are ours, since no other name can point to them', async () => {
    for (const host of ['127.0.0.1:5001', 'localhost:5001', '[::1]:5001', '192.0.2.7']) {
      expect(await signInUnder(host), host).to.equal(401)
    }
  })

  it('another port of the same machine is a stranger', async () => {
    expect(await signInUnder('127.0.0.1:5001', 'http://127.0.0.1:8080')).to.equal(403)
  })
})
