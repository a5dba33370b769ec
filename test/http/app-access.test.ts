import { expect } from 'chai'
import { aBridge } from '../support/policy.ts'
import { said } from './flow.ts'
import { API, aPlace, mintExternal, mintOwn } from './place.ts'
import { appAccessSuite } from './suites/app-access.ts'

appAccessSuite('memory', {})

describe('app access on the Community edition', () => {
  it('G16 there is no list of permitted apps, with any bearer and with none', async () => {
    const place = await aPlace()
    try {
      for (const token of [await mintOwn(place), await mintExternal(place), undefined]) {
        for (const path of ['/apps/permitted', '/permitted-external-apps']) {
          expect(said(await place.get(API + path, token === undefined ? {} : { token }))).to.equal('404 not_found')
        }
      }
    } finally {
      await place.close()
    }
  })

  for (const [status, there] of [
    ['active', true],
    ['expiring', true],
    ['none', false],
    ['inactive', false],
    ['expired', false],
    ['lost', false],
    ['whatever', false],
    [null, false],
  ] as const) {
    it(`F09 with a licence that is ${status} the routes of external sign-on are ${there ? '' : 'not '}there`, async () => {
      const bridge = aBridge({ licenseStatus: async () => status })
      const place = await aPlace({ change: (ports) => ({ ...ports, bridge }) })
      try {
        const device = `${API}/oauth/device`
        const replies = [
          await place.get(`${device}/sso-initiate`),
          await place.get(`${device}/sso-complete`),
          await place.get(`${device}/approval-context`),
          await place.post(`${device}/approve-external`),
        ]
        for (const { status: answered } of replies) expect(answered === 404).to.equal(!there)
        // A licence that is not in force costs nobody a call of the limit.
        const { retryAfterMs } = await place.ports.limiter.admit([
          { key: 'sso-initiate:127.0.0.1', limit: 1, windowMs: 3_600_000 },
        ])
        expect(retryAfterMs === null).to.equal(!there)
      } finally {
        await place.close()
      }
    })
  }
})
