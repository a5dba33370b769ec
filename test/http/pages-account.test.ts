import { expect } from 'chai'
import { OWNER } from '../support/world.ts'
import { aVisitor, heading, leadsTo, neverSetUp, pagesWorld } from './pages-visitor.ts'

describe('account pages, by form posts alone', () => {
  const { open, signedIn, close, at } = pagesWorld()
  afterEach(close)

  for (const [what, fields, sentence] of [
    ['no email', { ...OWNER, email: 'olive' }, 'Enter an email address.'],
    ['no name', { ...OWNER, name: ' ' }, 'Enter your name'],
    ['a short password', { ...OWNER, password: 'abc1' }, 'The password must be at least 8 characters.'],
    ['a password without a digit', { ...OWNER, password: 'correcthorse' }, 'The password must contain a digit.'],
  ] as const) {
    it(`set-up with ${what} is told in words and creates nothing`, async () => {
      await open({ change: neverSetUp })
      const reply = await aVisitor(at()).post('/install', fields)
      expect(reply.status).to.equal(422)
      expect(reply.text).to.contain(sentence).and.contain('role="alert"').and.contain(`value="${fields.email}"`)
      expect(reply.text).not.to.contain(fields.password)
      expect(await at().cases.owner()).to.equal(null)
    })
  }

  it('a server is set up once', async () => {
    await open()
    const reply = await aVisitor(at()).post('/install', { ...OWNER, email: 'second@example.test' })
    expect(`${reply.status} ${heading(reply)}`).to.equal('403 Already set up')
  })

  it('a wrong password and an unknown email read alike, and the sixth failure is told to wait', async () => {
    await open()
    const visitor = aVisitor(at())
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
    const { token, tokenId } = await at().login({ label: 'laptop' })
    await at().get('/openapi/v1/account', { token })
    const page = await visitor.open('/device/sessions')
    expect(page.text).to.contain('<bdi>laptop</bdi>').and.contain(tokenId)
    const revoked = await visitor.submit('/device/sessions/revoke', { session_id: tokenId })
    expect((await visitor.follow(revoked)).text).to.contain('No terminal is signed in')
    expect((await at().get('/openapi/v1/account', { token })).status).to.equal(401)
  })

  it('K11 nobody sees or signs out somebody else’s terminal, and a missing one reads alike', async () => {
    const visitor = await signedIn()
    await at().addMember('mallory@example.test')
    const { token, tokenId } = await at().login({ browser: await at().signIn('mallory@example.test') })
    const csrf = visitor.jar.get('csrf_token') ?? ''
    expect((await visitor.open('/device/sessions')).text).not.to.contain(tokenId)
    const answers = []
    for (const id of [tokenId, '0190b0b0-0000-7000-8000-000000000000', '../x']) {
      const reply = await visitor.post('/device/sessions/revoke', { csrf_token: csrf, session_id: id })
      answers.push(`${reply.status} ${reply.text}`)
    }
    expect(new Set(answers).size).to.equal(1)
    expect(answers[0]).to.match(/^404 /)
    expect((await at().get('/openapi/v1/account', { token })).status).to.equal(200)
  })

  it('K11 a terminal is not signed out without the CSRF token', async () => {
    const visitor = await signedIn()
    const { token, tokenId } = await at().login()
    expect((await visitor.post('/device/sessions/revoke', { session_id: tokenId })).status).to.equal(401)
    expect((await at().get('/openapi/v1/account', { token })).status).to.equal(200)
  })

  it('signing out ends the session on the server too', async () => {
    const visitor = await signedIn()
    const kept = new Map(visitor.jar)
    await visitor.open('/device')
    expect(leadsTo(await visitor.submit('/signout', {}))).to.equal('303 /signin')
    expect(visitor.jar.size).to.equal(0)
    for (const [name, value] of kept) visitor.jar.set(name, value)
    expect(leadsTo(await visitor.open('/device/sessions'))).to.equal('303 /signin?return_to=/device/sessions')
  })

  it('signing out without the CSRF token signs nobody out', async () => {
    const visitor = await signedIn()
    expect((await visitor.post('/signout', {})).status).to.equal(401)
    expect((await visitor.open('/device/sessions')).status).to.equal(200)
  })
})
