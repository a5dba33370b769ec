import { expect } from 'chai'
import { looksSecret } from '../support/secret-free-log.ts'
import { chatFile } from './app-files.ts'
import { flowOf } from './flow.ts'
import { API, aPlace } from './place.ts'

// Every world checks its log when it closes, and every server process that a test starts is watched, so that each test
// is one of E17; here the checks themselves are tried.
describe('log lines', () => {
  it('E17 hold no token, digest, device code, user code or cookie of a whole login, run and sign-out', async () => {
    const place = await aPlace()
    const browser = await place.signIn()
    const { token, deviceCode, userCode } = await place.login({ browser })
    const appId = await place.addApp(chatFile())
    await place.post(`${API}/apps/${appId}/run`, { token, json: { inputs: {}, query: 'hi' } })
    await flowOf(place).poll(deviceCode)
    await flowOf(place).decide('deny', userCode, browser)
    await place.delete(`${API}/account/sessions/self`, { token })
    await place.post('/console/api/logout', { headers: browser.headers })
    expect(place.logLines.length).to.be.greaterThan(5)
    await place.close()
  })

  for (const hide of ['token', 'deviceCode', 'userCode'] as const) {
    it(`E17 with a ${hide} in them would fail every suite`, async () => {
      const place = await aPlace()
      const login = await place.login()
      place.ports.log.error('request failed', { error: new Error('x', { cause: new Error(`at ${login[hide]}`) }) })
      const outcome = await place.close().then(
        () => 'closed',
        (error: Error) => error.message,
      )
      expect(outcome).to.contain('E17 secrets in log lines')
      expect(outcome).to.not.contain(login[hide])
    })
  }

  it('E17 of server processes are known by the shapes of our secrets', async () => {
    const place = await aPlace()
    const { cookie } = await place.signIn()
    const { token, deviceCode, userCode } = await place.login()
    const secrets = [
      token,
      deviceCode,
      userCode,
      place.ports.digest(token),
      /access_token=([^;]+)/.exec(cookie)?.[1] ?? '',
    ]
    for (const secret of secrets) {
      expect(looksSecret(`{"msg":"request failed","path":"/x/${secret}?"}`), secret.slice(0, 5)).to.equal(true)
    }
    for (const { message, facts } of place.logLines)
      expect(looksSecret(JSON.stringify({ message, facts }))).to.equal(false)
    await place.close()
  })
})
