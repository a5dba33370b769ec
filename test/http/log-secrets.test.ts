import { expect } from 'chai'
import { chatFile } from './app-files.ts'
import { flowOf } from './flow.ts'
import { API, aPlace } from './place.ts'

// Every place checks its log when it closes, so each test over HTTP is one of E17; here the check itself is tried.
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
})
