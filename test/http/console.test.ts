import { expect } from 'chai'
import { OWNER, type WorldOptions } from '../support/world.ts'
import { aPlace } from './place.ts'
import { consoleSuite, cookiesOf } from './suites/console.ts'

consoleSuite('memory', {})

describe('console cookies', () => {
  const HOUR = 'Max-Age=3600'
  const MONTH = 'Max-Age=2592000'
  const attributes = (age: string, ...more: string[]) => [age, 'Path=/', 'SameSite=Lax', ...more].toSorted()

  const PLACES: readonly (readonly [
    where: string,
    cookies: WorldOptions['cookies'],
    prefix: string,
    more: string[],
  ])[] = [
    ['http', {}, '', []],
    ['http with COOKIE_DOMAIN', { domain: 'example.test' }, '', ['Domain=example.test']],
    ['https', { secure: true }, '__Host-', ['Secure']],
    ['https with COOKIE_DOMAIN', { secure: true, domain: 'example.test' }, '', ['Domain=example.test', 'Secure']],
  ]
  for (const [where, cookies, prefix, more] of PLACES) {
    it(`M06 on ${where}: three cookies, only the CSRF token readable, and they work`, async () => {
      const place = await aPlace({ cookies: cookies ?? {} })
      try {
        const reply = await place.post('/console/api/login', { json: { email: OWNER.email, password: OWNER.password } })
        expect(cookiesOf(reply)).to.deep.equal({
          [`${prefix}access_token`]: attributes(HOUR, 'HttpOnly', ...more),
          [`${prefix}csrf_token`]: attributes(HOUR, ...more),
          [`${prefix}refresh_token`]: attributes(MONTH, 'HttpOnly', ...more),
        })
        const { headers } = await place.signIn()
        expect((await place.get('/console/api/account/profile', { headers })).status).to.equal(200)
        const out = await place.post('/console/api/logout', { headers })
        expect(cookiesOf(out)).to.deep.equal({
          [`${prefix}access_token`]: attributes('Max-Age=0', 'HttpOnly', ...more),
          [`${prefix}csrf_token`]: attributes('Max-Age=0', ...more),
          [`${prefix}refresh_token`]: attributes('Max-Age=0', 'HttpOnly', ...more),
        })
      } finally {
        await place.close()
      }
    })
  }

  it('M06 on https a cookie without the prefix is not believed', async () => {
    const place = await aPlace({ cookies: { secure: true } })
    try {
      const { cookie } = await place.signIn()
      // A sibling host can plant plain cookies, but none that starts with __Host-.
      const headers = { Cookie: cookie.replaceAll('__Host-', '') }
      expect((await place.get('/console/api/account/profile', { headers })).status).to.equal(401)
    } finally {
      await place.close()
    }
  })
})
