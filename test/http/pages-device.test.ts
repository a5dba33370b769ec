import { expect } from 'chai'
import { OWNER } from '../support/world.ts'
import { aVisitor, heading, leadsTo, neverSetUp, pagesWorld } from './pages-visitor.ts'

const MINUTE_MS = 60_000

describe('device pages, by form posts alone', () => {
  const { open, signedIn, pollOf, close, at } = pagesWorld()
  afterEach(close)

  it('a person sets the server up, signs in, approves, and the terminal gets its token', async () => {
    await open({ change: neverSetUp })
    const { userCode, deviceCode } = await at().startFlow()
    const visitor = aVisitor(at())
    expect(leadsTo(await visitor.open('/'))).to.equal('303 /install')
    const arrived = await visitor.open(`/device?user_code=${userCode}`)
    expect(leadsTo(arrived)).to.equal(`303 /install?user_code=${userCode}`)
    expect(heading(await visitor.follow(arrived))).to.equal('Set up Latchkey')
    const installed = await visitor.submit('/install', OWNER)
    expect(leadsTo(installed)).to.equal(`303 /signin?user_code=${userCode}&created=1`)
    expect((await visitor.follow(installed)).text).to.contain('Your account is ready')
    const entered = await visitor.submit('/signin', { email: OWNER.email, password: OWNER.password })
    expect(leadsTo(entered)).to.equal(`303 /device?user_code=${userCode}`)
    expect(heading(await visitor.follow(entered))).to.equal('Let this device in?')
    const decided = await visitor.submit('/device/decide', { decision: 'approve' })
    expect(leadsTo(decided)).to.equal('303 /device')
    expect(heading(await visitor.follow(decided))).to.equal('Your device is signed in')
    expect(heading(await visitor.open('/device'))).to.equal('Connect a device')
    expect(await pollOf(deviceCode)).to.equal('Bearer')
  })

  it('K03 a code typed in lower case with a space is found', async () => {
    const visitor = await signedIn()
    const { userCode } = await at().startFlow()
    const typed = ` ${userCode.toLowerCase().replace('-', ' ')} `
    const sent = await visitor.post('/device', { user_code: typed })
    expect(leadsTo(sent)).to.equal(`303 /device?user_code=${userCode}`)
  })

  it('K03 what cannot be a code is told beside the field, which keeps it', async () => {
    const visitor = await signedIn()
    const reply = await visitor.post('/device', { user_code: 'AB"><i>' })
    expect(reply.status).to.equal(422)
    expect(reply.text).to.contain('role="alert"').and.contain('value="AB&quot;&gt;&lt;i&gt;"')
  })

  it('K04 a visitor who is not signed in gets the chooser, which tells nothing about the device', async () => {
    await open()
    const { userCode } = await at().startFlow('secret-laptop')
    const page = await aVisitor(at()).open(`/device?user_code=${userCode}`)
    expect(`${page.status} ${heading(page)}`).to.equal('200 Sign in to go on')
    expect(page.text).to.contain(`href="/signin?user_code=${userCode}"`)
    expect(page.text).not.to.contain('secret-laptop').and.not.contain('difyctl')
  })

  // An open redirect after sign-in would hand people to a look-alike site at the moment they trust us most.
  for (const address of ['next=https://evil.test', 'user_code=//evil.test', 'user_code=AAAA-AAAA%0d%0aX: 1']) {
    it(`K04 sign-in leads to our own page whatever the address says: ${address}`, async () => {
      await open()
      const visitor = aVisitor(at())
      await visitor.open(`/signin?${address}`)
      const entered = await visitor.submit('/signin', {
        email: OWNER.email,
        password: OWNER.password,
        next: 'https://evil.test',
      })
      expect(leadsTo(entered)).to.equal('303 /device')
    })
  }

  it('K05 consent shows who, where, the code, the client, the device, when, what and until when', async () => {
    const visitor = await signedIn()
    const { userCode } = await at().startFlow('<script>alert("x")</script>')
    at().clock.advance(2 * MINUTE_MS)
    const { text } = await visitor.open(`/device?user_code=${userCode}`)
    for (const shown of [
      OWNER.email,
      'Olive Owner&#39;s Workspace',
      `<bdi dir="ltr">${userCode}</bdi></p>`,
      'difyctl',
      '<bdi>&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;</bdi>',
      '<bdi>2 minutes ago</bdi>, from <bdi>127.0.0.1</bdi>',
      'list and run the apps',
      '19 January 2026 at 12:02 UTC',
    ]) {
      expect(text).to.contain(shown)
    }
    expect(text).not.to.contain('Asked from another address').and.not.contain('Replaces your session on')
  })

  it('K05 a request from another address is warned of', async () => {
    const visitor = await signedIn({ trustedProxies: ['127.0.0.0/8'] })
    const { json } = await at().post('/openapi/v1/oauth/device/code', {
      json: { client_id: 'difyctl', device_label: 'laptop' },
      headers: { 'X-Forwarded-For': '203.0.113.7' },
    })
    const { text } = await visitor.open(`/device?user_code=${json.user_code}`)
    expect(text).to.contain('Asked from another address').and.contain('203.0.113.7').and.contain('127.0.0.1')
  })

  it('K05 consent says when a terminal of the same name would be signed out', async () => {
    const visitor = await signedIn()
    await at().login({ label: 'laptop' })
    const { userCode } = await at().startFlow('laptop')
    expect((await visitor.open(`/device?user_code=${userCode}`)).text).to.contain('Replaces your session on')
    const other = await at().startFlow('desktop')
    expect((await visitor.open(`/device?user_code=${other.userCode}`)).text).not.to.contain('Replaces your session on')
  })

  it('K06 deny is heard by the terminal', async () => {
    const visitor = await signedIn()
    const { userCode, deviceCode } = await at().startFlow()
    await visitor.open(`/device?user_code=${userCode}`)
    const decided = await visitor.submit('/device/decide', { decision: 'deny' })
    expect(heading(await visitor.follow(decided))).to.equal('You turned the device away')
    expect(await pollOf(deviceCode)).to.equal('access_denied')
  })

  it('K07 a session that ended meanwhile is told, and sign-in leads back to the code', async () => {
    const visitor = await signedIn()
    at().clock.advance(55 * MINUTE_MS)
    const { userCode, deviceCode } = await at().startFlow()
    await visitor.open(`/device?user_code=${userCode}`)
    at().clock.advance(6 * MINUTE_MS)
    const reply = await visitor.submit('/device/decide', { decision: 'approve' })
    expect(`${reply.status} ${heading(reply)}`).to.equal('401 This session is no longer valid')
    expect(reply.text).to.contain(`href="/signin?user_code=${userCode}"`)
    expect(await pollOf(deviceCode)).to.equal('authorization_pending')
  })

  it('K07 unknown, expired and decided codes are no longer valid', async () => {
    const visitor = await signedIn()
    const seen: string[] = []
    const look = async (code: string) => {
      const page = await visitor.open(`/device?user_code=${code}`)
      seen.push(`${page.status} ${heading(page)}`)
    }
    await look('AAAA-AAAA')
    await look('junk')
    const decided = await at().startFlow()
    await visitor.open(`/device?user_code=${decided.userCode}`)
    await visitor.submit('/device/decide', { decision: 'approve' })
    await look(decided.userCode)
    const old = await at().startFlow()
    at().clock.advance(15 * MINUTE_MS)
    await look(old.userCode)
    const gone = (status: number) => `${status} Code no longer valid`
    expect(seen).to.deep.equal([gone(404), gone(404), gone(409), gone(404)])
  })

  it('K07 looking codes up is limited together with the JSON route, and the wait is told', async () => {
    const visitor = await signedIn()
    const { userCode } = await at().startFlow()
    for (let n = 0; n < 59; n++) await at().get('/openapi/v1/oauth/device/lookup?user_code=AAAA-AAAA')
    expect((await visitor.open(`/device?user_code=${userCode}`)).status).to.equal(200)
    const page = await visitor.open(`/device?user_code=${userCode}`)
    expect(`${page.status} ${heading(page)}`).to.equal('429 Too many attempts')
    expect(page.text).to.contain('Wait 5 minutes')
    expect(page.headers.get('retry-after')).to.equal('300')
  })

  it('K07 deciding is limited, and the code stays as it was', async () => {
    const visitor = await signedIn({ settings: { decidePerHour: 1 } })
    const { userCode, deviceCode } = await at().startFlow()
    await visitor.open(`/device?user_code=${userCode}`)
    expect((await visitor.submit('/device/decide', { decision: 'neither' })).status).to.equal(422)
    await visitor.open(`/device?user_code=${userCode}`)
    const reply = await visitor.submit('/device/decide', { decision: 'approve' })
    expect(`${reply.status} ${heading(reply)}`).to.equal('429 Too many attempts')
    expect(await pollOf(deviceCode)).to.equal('authorization_pending')
  })

  it('K07 a store that is down is told in words, with a way to retry and nothing about the fault', async () => {
    const visitor = await signedIn({
      change: (ports) => ({
        ...ports,
        flows: { ...ports.flows, hashOf: () => Promise.reject(new Error('redis at 10.0.0.9 is gone')) },
      }),
    })
    const page = await visitor.open('/device?user_code=ABCD-EFGH')
    expect(`${page.status} ${heading(page)}`).to.equal('500 Could not verify the code')
    expect(page.text).to.contain('href="/device?user_code=ABCD-EFGH"').and.not.contain('10.0.0.9')
    expect(at().logLines.filter(({ level }) => level === 'error')).to.have.length(1)
  })

  it('with bearers off nothing can be approved, and the page says so', async () => {
    const visitor = await signedIn({ settings: { bearer: { enabled: false, perMinute: 60 } } })
    const { userCode } = await at().startFlow()
    await visitor.open(`/device?user_code=${userCode}`)
    const reply = await visitor.submit('/device/decide', { decision: 'approve' })
    expect(`${reply.status} ${heading(reply)}`).to.equal('503 Signing in from terminals is off')
  })
})
