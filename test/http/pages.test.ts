import { expect } from 'chai'
import { aWorld, OWNER, type World, type WorldOptions } from '../support/world.ts'
import { aVisitor, heading, leadsTo, neverSetUp } from './pages-visitor.ts'

const MINUTE_MS = 60_000

describe('pages, by form posts alone', () => {
  let world: World
  const open = async (options: WorldOptions = {}) => {
    world = await aWorld(options)
    return world
  }
  afterEach(() => world.close())

  const pollOf = async (deviceCode: string) => {
    const reply = await world.post('/openapi/v1/oauth/device/token', {
      json: { device_code: deviceCode, client_id: 'difyctl' },
    })
    return reply.json.error ?? reply.json.token_type
  }
  const signedIn = async (options: WorldOptions = {}) => {
    const visitor = aVisitor(await open(options))
    await visitor.signIn(OWNER.email, OWNER.password)
    return visitor
  }

  it('a person sets the server up, signs in, approves, and the terminal gets its token', async () => {
    await open({ change: neverSetUp })
    const { userCode, deviceCode } = await world.startFlow()
    const visitor = aVisitor(world)
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
    const { userCode } = await world.startFlow()
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
    const { userCode } = await world.startFlow('secret-laptop')
    const page = await aVisitor(world).open(`/device?user_code=${userCode}`)
    expect(`${page.status} ${heading(page)}`).to.equal('200 Sign in to go on')
    expect(page.text).to.contain(`href="/signin?user_code=${userCode}"`)
    expect(page.text).not.to.contain('secret-laptop').and.not.contain('difyctl')
  })

  // An open redirect after sign-in would hand people to a look-alike site at the moment they trust us most.
  for (const address of ['next=https://evil.test', 'user_code=//evil.test', 'user_code=AAAA-AAAA%0d%0aX: 1']) {
    it(`K04 sign-in leads to our own page whatever the address says: ${address}`, async () => {
      await open()
      const visitor = aVisitor(world)
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
    const { userCode } = await world.startFlow('<script>alert("x")</script>')
    world.clock.advance(2 * MINUTE_MS)
    const { text } = await visitor.open(`/device?user_code=${userCode}`)
    for (const shown of [
      OWNER.email,
      'Olive Owner&#39;s Workspace',
      `</span>${userCode}</p>`,
      'difyctl',
      '<bdi>&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;</bdi>',
      '2 minutes ago, from 127.0.0.1',
      'list and run the apps',
      '19 January 2026 at 12:02 UTC',
    ]) {
      expect(text).to.contain(shown)
    }
    expect(text).not.to.contain('Asked from another address').and.not.contain('signed in already')
  })

  it('K05 a request from another address is warned of', async () => {
    const visitor = await signedIn({ trustedProxies: ['127.0.0.0/8'] })
    const { json } = await world.post('/openapi/v1/oauth/device/code', {
      json: { client_id: 'difyctl', device_label: 'laptop' },
      headers: { 'X-Forwarded-For': '203.0.113.7' },
    })
    const { text } = await visitor.open(`/device?user_code=${json.user_code}`)
    expect(text).to.contain('Asked from another address').and.contain('203.0.113.7').and.contain('127.0.0.1')
  })

  it('K05 consent says when a terminal of the same name would be signed out', async () => {
    const visitor = await signedIn()
    await world.login({ label: 'laptop' })
    const { userCode } = await world.startFlow('laptop')
    expect((await visitor.open(`/device?user_code=${userCode}`)).text).to.contain('signed in already')
    const other = await world.startFlow('desktop')
    expect((await visitor.open(`/device?user_code=${other.userCode}`)).text).not.to.contain('signed in already')
  })

  it('K06 deny is heard by the terminal', async () => {
    const visitor = await signedIn()
    const { userCode, deviceCode } = await world.startFlow()
    await visitor.open(`/device?user_code=${userCode}`)
    const decided = await visitor.submit('/device/decide', { decision: 'deny' })
    expect(heading(await visitor.follow(decided))).to.equal('You turned the device away')
    expect(await pollOf(deviceCode)).to.equal('access_denied')
  })

  // Link previews and prefetchers open addresses: opening one must never let a device in.
  it('opening a page decides nothing, however often and with whatever in the address', async () => {
    const visitor = await signedIn()
    const { userCode, deviceCode } = await world.startFlow()
    for (const rest of ['', '', '&decision=approve', '&decision=approve&csrf_token=x']) {
      expect((await visitor.open(`/device?user_code=${userCode}${rest}`)).status).to.equal(200)
    }
    expect((await visitor.open(`/device/decide?user_code=${userCode}&decision=approve`)).status).to.equal(405)
    expect(await pollOf(deviceCode)).to.equal('authorization_pending')
  })

  it('no link can make the page claim that a device was let in', async () => {
    await open()
    const page = await aVisitor(world).open('/device?device_outcome=approve&decided=approve&outcome=approve')
    expect(heading(page)).to.equal('Connect a device')
  })

  it('E22 a terminal’s token opens no page and decides nothing', async () => {
    await open()
    const { token } = await world.login()
    const { userCode, deviceCode } = await world.startFlow('second')
    const terminal = aVisitor(world, { Authorization: `Bearer ${token}` })
    expect(heading(await terminal.open(`/device?user_code=${userCode}`))).to.equal('Sign in to go on')
    expect((await terminal.post('/device/decide', { user_code: userCode, decision: 'approve' })).status).to.equal(401)
    expect(leadsTo(await terminal.open('/device/sessions'))).to.equal('303 /signin')
    expect(await pollOf(deviceCode)).to.equal('authorization_pending')
  })

  // CSRF: another site must not be able to post an approval with this browser's cookies.
  for (const [what, field] of [
    ['no token', {}],
    ['an empty token', { csrf_token: '' }],
    ['a token of its own making', { csrf_token: 'forged' }],
  ] as const) {
    it(`E23 a decision with ${what} is refused and leaves the code as it was`, async () => {
      const visitor = await signedIn()
      const { userCode, deviceCode } = await world.startFlow()
      const reply = await visitor.post('/device/decide', { ...field, user_code: userCode, decision: 'approve' })
      expect(`${reply.status} ${heading(reply)}`).to.equal('401 This session is no longer valid')
      expect(await pollOf(deviceCode)).to.equal('authorization_pending')
    })
  }

  it('E23 a decision with somebody else’s valid token is refused', async () => {
    const visitor = await signedIn()
    await world.addMember('mallory@example.test')
    const mallory = await world.signIn('mallory@example.test')
    const { userCode, deviceCode } = await world.startFlow()
    visitor.jar.set('csrf_token', mallory.csrf)
    const fields = { csrf_token: mallory.csrf, user_code: userCode, decision: 'approve' }
    expect((await visitor.post('/device/decide', fields)).status).to.equal(401)
    expect(await pollOf(deviceCode)).to.equal('authorization_pending')
  })

  for (const path of ['/install', '/signin', '/signout', '/device', '/device/decide', '/device/sessions/revoke']) {
    for (const origin of ['https://evil.test', 'null']) {
      it(`a form from the origin ${origin} is refused at ${path}`, async () => {
        const visitor = await signedIn()
        const cookies = [...visitor.jar]
        const csrf = visitor.jar.get('csrf_token') ?? ''
        const fields = { csrf_token: csrf, email: OWNER.email, password: OWNER.password }
        const reply = await visitor.post(path, fields, { Origin: origin })
        expect(`${reply.status} ${heading(reply)}`).to.equal('403 Sent from another site')
        expect([...visitor.jar]).to.deep.equal(cookies)
      })
    }
  }

  it('K07 a session that ended meanwhile is told, and sign-in leads back to the code', async () => {
    const visitor = await signedIn()
    world.clock.advance(55 * MINUTE_MS)
    const { userCode, deviceCode } = await world.startFlow()
    await visitor.open(`/device?user_code=${userCode}`)
    world.clock.advance(6 * MINUTE_MS)
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
    const decided = await world.startFlow()
    await visitor.open(`/device?user_code=${decided.userCode}`)
    await visitor.submit('/device/decide', { decision: 'approve' })
    await look(decided.userCode)
    const old = await world.startFlow()
    world.clock.advance(15 * MINUTE_MS)
    await look(old.userCode)
    const gone = (status: number) => `${status} Code no longer valid`
    expect(seen).to.deep.equal([gone(404), gone(404), gone(409), gone(404)])
  })

  it('K07 looking codes up is limited together with the JSON route, and the wait is told', async () => {
    const visitor = await signedIn()
    const { userCode } = await world.startFlow()
    for (let n = 0; n < 59; n++) await world.get('/openapi/v1/oauth/device/lookup?user_code=AAAA-AAAA')
    expect((await visitor.open(`/device?user_code=${userCode}`)).status).to.equal(200)
    const page = await visitor.open(`/device?user_code=${userCode}`)
    expect(`${page.status} ${heading(page)}`).to.equal('429 Too many attempts')
    expect(page.text).to.contain('Wait 5 minutes')
    expect(page.headers.get('retry-after')).to.equal('300')
  })

  it('K07 deciding is limited, and the code stays as it was', async () => {
    const visitor = await signedIn({ settings: { decidePerHour: 1 } })
    const { userCode, deviceCode } = await world.startFlow()
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
    expect(world.logLines.filter(({ level }) => level === 'error')).to.have.length(1)
  })

  it('with bearers off nothing can be approved, and the page says so', async () => {
    const visitor = await signedIn({ settings: { bearer: { enabled: false, perMinute: 60 } } })
    const { userCode } = await world.startFlow()
    await visitor.open(`/device?user_code=${userCode}`)
    const reply = await visitor.submit('/device/decide', { decision: 'approve' })
    expect(`${reply.status} ${heading(reply)}`).to.equal('503 Signing in from terminals is off')
  })

  for (const [what, fields, sentence] of [
    ['no email', { ...OWNER, email: 'olive' }, 'Enter an email address.'],
    ['no name', { ...OWNER, name: ' ' }, 'Enter your name'],
    ['a short password', { ...OWNER, password: 'abc1' }, 'The password must be at least 8 characters.'],
    ['a password without a digit', { ...OWNER, password: 'correcthorse' }, 'The password must contain a digit.'],
  ] as const) {
    it(`set-up with ${what} is told in words and creates nothing`, async () => {
      await open({ change: neverSetUp })
      const reply = await aVisitor(world).post('/install', fields)
      expect(reply.status).to.equal(422)
      expect(reply.text).to.contain(sentence).and.contain('role="alert"').and.contain(`value="${fields.email}"`)
      expect(reply.text).not.to.contain(fields.password)
      expect(await world.cases.owner()).to.equal(null)
    })
  }

  it('a server is set up once', async () => {
    await open()
    const reply = await aVisitor(world).post('/install', { ...OWNER, email: 'second@example.test' })
    expect(`${reply.status} ${heading(reply)}`).to.equal('403 Already set up')
  })

  it('a wrong password and an unknown email read alike, and the sixth failure is told to wait', async () => {
    await open()
    const visitor = aVisitor(world)
    const wrong = await visitor.signIn(OWNER.email, 'wrong horse 2')
    const unknown = await visitor.signIn('nobody@example.test', 'wrong horse 2')
    expect(`${wrong.status} ${unknown.status}`).to.equal('401 401')
    expect(wrong.text).to.equal(unknown.text.replace('nobody@example.test', OWNER.email))
    expect(wrong.text).to.contain('Email or password is wrong.').and.not.contain('wrong horse 2')
    for (let n = 0; n < 4; n++) await visitor.signIn(OWNER.email, 'wrong horse 2')
    const sixth = await visitor.signIn(OWNER.email, OWNER.password)
    expect(sixth.status).to.equal(429)
    expect(sixth.text).to.contain('Too many attempts. Wait 15 minutes')
    expect(visitor.jar.size).to.equal(0)
  })

  it('K11 a person sees their terminals and signs one out; its next call is 401', async () => {
    const visitor = await signedIn()
    const { token, tokenId } = await world.login({ label: 'laptop' })
    await world.get('/openapi/v1/account', { token })
    const page = await visitor.open('/device/sessions')
    expect(page.text).to.contain('<bdi>laptop</bdi>').and.contain(tokenId)
    const revoked = await visitor.submit('/device/sessions/revoke', { session_id: tokenId })
    expect((await visitor.follow(revoked)).text).to.contain('No terminal is signed in')
    expect((await world.get('/openapi/v1/account', { token })).status).to.equal(401)
  })

  it('K11 nobody sees or signs out somebody else’s terminal, and a missing one reads alike', async () => {
    const visitor = await signedIn()
    await world.addMember('mallory@example.test')
    const { token, tokenId } = await world.login({ browser: await world.signIn('mallory@example.test') })
    const csrf = visitor.jar.get('csrf_token') ?? ''
    expect((await visitor.open('/device/sessions')).text).not.to.contain(tokenId)
    const answers = []
    for (const id of [tokenId, '0190b0b0-0000-7000-8000-000000000000', '../x']) {
      const reply = await visitor.post('/device/sessions/revoke', { csrf_token: csrf, session_id: id })
      answers.push(`${reply.status} ${reply.text}`)
    }
    expect(new Set(answers).size).to.equal(1)
    expect(answers[0]).to.match(/^404 /)
    expect((await world.get('/openapi/v1/account', { token })).status).to.equal(200)
  })

  it('K11 a terminal is not signed out without the CSRF token', async () => {
    const visitor = await signedIn()
    const { token, tokenId } = await world.login()
    expect((await visitor.post('/device/sessions/revoke', { session_id: tokenId })).status).to.equal(401)
    expect((await world.get('/openapi/v1/account', { token })).status).to.equal(200)
  })

  it('signing out ends the session on the server too', async () => {
    const visitor = await signedIn()
    const kept = new Map(visitor.jar)
    await visitor.open('/device')
    expect(leadsTo(await visitor.submit('/signout', {}))).to.equal('303 /signin')
    expect(visitor.jar.size).to.equal(0)
    for (const [name, value] of kept) visitor.jar.set(name, value)
    expect(leadsTo(await visitor.open('/device/sessions'))).to.equal('303 /signin')
  })

  it('signing out without the CSRF token signs nobody out', async () => {
    const visitor = await signedIn()
    expect((await visitor.post('/signout', {})).status).to.equal(401)
    expect((await visitor.open('/device/sessions')).status).to.equal(200)
  })

  it('K09 no page has inline script or style, may be framed or stored, or tells other sites its address', async () => {
    const visitor = await signedIn()
    await world.login()
    const { userCode } = await world.startFlow()
    for (const path of [
      '/signin',
      '/device',
      `/device?user_code=${userCode}`,
      '/device/sessions',
      '/device?user_code=x',
    ]) {
      const { text, headers } = await visitor.open(path)
      expect(text, path).not.to.match(/<script(?![^>]* src=)|<style|\sstyle=|\son\w+=|javascript:/i)
      expect(headers.get('content-type')).to.equal('text/html; charset=utf-8')
      expect(headers.get('content-security-policy'))
        .to.contain("default-src 'self'")
        .and.contain("frame-ancestors 'none'")
      expect(headers.get('cache-control')).to.equal('no-store')
      expect(headers.get('referrer-policy')).to.equal('same-origin')
    }
  })

  it('a form that is too large, of another type or with a field twice is refused as a page', async () => {
    const visitor = await signedIn()
    const large = await visitor.post('/signin', { email: 'a'.repeat(20_000), password: 'x' })
    const json = await world.post('/signin', { json: OWNER })
    const twice = await world.post('/signin', { form: 'email=a&email=b&password=x' })
    expect([large, json, twice].map(({ status }) => status)).to.deep.equal([413, 415, 422])
    for (const { text } of [large, json, twice]) expect(text).to.contain('<h1>Something went wrong</h1>')
  })

  it('files are served by type with an ETag, and nothing else of the folder or above it', async () => {
    await open()
    const types = {
      'device.css': 'text/css; charset=utf-8',
      'device.js': 'text/javascript; charset=utf-8',
      'icon.svg': 'image/svg+xml',
    }
    for (const [name, type] of Object.entries(types)) {
      const first = await world.get(`/assets/${name}`)
      expect(`${first.status} ${first.headers.get('content-type')}`).to.equal(`200 ${type}`)
      // fetch asks for no-cache with a validator, unless told.
      const headers = { 'Cache-Control': 'max-age=0', 'If-None-Match': first.headers.get('etag') ?? '' }
      const second = await world.get(`/assets/${name}`, { headers })
      expect(`${second.status} ${second.text}`).to.equal('304 ')
    }
    for (const path of [
      'layout.html',
      '..%2fpackage.json',
      '%2e%2e%2fpackage.json',
      '....//package.json',
      'device.css%00',
    ]) {
      expect((await world.get(`/assets/${path}`)).status, path).to.equal(404)
    }
  })
})
