import { expect } from 'chai'
import { aPlace, type Place } from './place.ts'

describe('probes', () => {
  let place: Place
  let failed: string[] = []
  let degraded: string[] = []

  before(async () => {
    place = await aPlace({ checkReadiness: async () => ({ failed, degraded }) })
  })
  afterEach(() => {
    failed = []
    degraded = []
  })
  after(() => place.close())

  it('the process lives whatever its stores do', async () => {
    failed = ['database']
    const answer = await place.get('/livez')
    expect([answer.status, answer.text]).to.deep.equal([200, '{"ok":true}'])
    expect(answer.headers.get('cache-control')).to.equal('no-store')
  })

  it('readiness tells what is done without, and asks nobody who they are', async () => {
    degraded = ['redis']
    const answer = await place.get('/readyz')
    expect([answer.status, answer.json]).to.deep.equal([200, { ready: true, degraded: ['redis'] }])
    expect(answer.headers.get('cache-control')).to.equal('no-store')
  })

  // Anybody may ask: which host, which user or which driver is of use to attackers only.
  it('readiness names the check that failed and nothing about it, and fills no log', async () => {
    failed = ['database', 'migrations']
    const before = place.logLines.length
    const answer = await place.get('/readyz')
    expect(answer.status).to.equal(503)
    expect(answer.json).to.deep.equal({
      error: 'not_ready',
      code: 'service_unavailable',
      message: 'not ready: database, migrations',
      status: 503,
    })
    expect(answer.headers.get('retry-after')).to.equal('1')
    expect(place.logLines.length).to.equal(before)
  })

  it('probes stand at the root only, and for GET and HEAD only', async () => {
    for (const path of ['/openapi/v1/livez', '/openapi/v1/readyz', '/livez/', '/console/api/readyz']) {
      expect((await place.get(path)).status, path).to.equal(404)
    }
    expect((await fetch(`${place.url}/readyz`, { method: 'HEAD' })).status).to.equal(200)
    expect((await place.post('/readyz', {})).status).to.equal(405)
  })
})
