import { expect } from 'chai'
import { OWNER } from '../support/world.ts'
import { aVisitor, heading, leadsTo, pagesWorld } from './pages-visitor.ts'
import { mintOwn } from './place.ts'

const LOGO = { type: 'image/svg+xml', bytes: Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>') }

describe('how the pages speak and look', () => {
  const { open, signedIn, close, at } = pagesWorld()
  afterEach(close)

  for (const [asked, lang, title] of [
    ['', 'en', 'Connect a device'],
    ['zh-CN,zh;q=0.9,en;q=0.8', 'zh-Hans', '连接设备'],
    ['zh', 'zh-Hans', '连接设备'],
    ['zh-Hans-SG', 'zh-Hans', '连接设备'],
    ['de, en;q=0.5, zh;q=0.4', 'en', 'Connect a device'],
    ['fr', 'en', 'Connect a device'],
    ['en, zh;q=0.9', 'en', 'Connect a device'],
    ['"><script>', 'en', 'Connect a device'],
  ] as const) {
    it(`a browser that asks for “${asked}” is answered in ${lang}`, async () => {
      await open()
      const page = await aVisitor(at(), asked === '' ? {} : { 'Accept-Language': asked }).open('/device')
      expect(heading(page)).to.equal(title)
      expect(page.text).to.contain(`<html lang="${lang}" dir="ltr">`)
      expect(page.headers.get('content-language')).to.equal(lang)
      expect(page.headers.get('vary')).to.contain('Accept-Language')
    })
  }

  it('faults are told in the visitor’s language', async () => {
    await open()
    const visitor = aVisitor(at(), { 'Accept-Language': 'zh-CN' })
    expect(heading(await visitor.open('/device?user_code=AAAA-AAAA'))).to.equal('代码已失效')
    expect((await visitor.post('/signin', { email: 'a@b.test', password: 'wrong' })).text).to.contain(
      '电子邮件或密码不正确。',
    )
  })

  it('K05 consent names the country where a file knows it, and says nothing where not', async () => {
    const visitor = await signedIn({ countryOf: (ip) => (ip === '127.0.0.1' ? 'NL' : null) })
    const { userCode } = await at().startFlow()
    expect((await visitor.open(`/device?user_code=${userCode}`)).text).to.contain('<dd>Netherlands</dd>')
  })

  it('K05 consent has no country without a file', async () => {
    const visitor = await signedIn()
    const { userCode } = await at().startFlow()
    expect((await visitor.open(`/device?user_code=${userCode}`)).text).not.to.contain('<dt>Country</dt>')
  })

  it('the brand’s name, logo and accent are on every page, its name as text', async () => {
    await open({ brand: { name: 'A<b>&Co', logo: LOGO, accent: '#5b21b6' } })
    for (const path of ['/signin', '/device', '/device?user_code=AAAA-AAAA']) {
      const { text } = await aVisitor(at()).open(path)
      expect(text)
        .to.contain('A&lt;b&gt;&amp;Co</a>')
        .and.contain('src="/assets/logo"')
        .and.contain('/assets/brand.css')
      expect(text).not.to.contain('Latchkey').and.not.contain('<b>')
    }
    const logo = await at().get('/assets/logo')
    expect(`${logo.status} ${logo.headers.get('content-type')}`).to.equal('200 image/svg+xml')
    // A logo that is opened by itself must not run what stands in it.
    expect(logo.headers.get('content-security-policy')).to.contain("default-src 'self'")
    expect((await at().get('/assets/brand.css')).text).to.contain('--accent:#5b21b6')
  })

  it('without a brand there is neither its logo nor its style', async () => {
    await open()
    expect((await at().get('/assets/logo')).status).to.equal(404)
    expect((await at().get('/assets/brand.css')).status).to.equal(404)
    expect((await aVisitor(at()).open('/device')).text).not.to.contain('brand.css')
  })

  it('files are compressed for who takes it, and plain for who does not', async () => {
    await open()
    const plain = await at().get('/assets/device.css', { headers: { 'Accept-Encoding': 'identity' } })
    const packed = await at().get('/assets/device.css', { headers: { 'Accept-Encoding': 'gzip' } })
    expect(plain.headers.get('content-encoding')).to.equal(null)
    expect(packed.headers.get('content-encoding')).to.equal('gzip')
    expect(packed.headers.get('vary')).to.contain('Accept-Encoding')
    expect(packed.text).to.equal(plain.text)
  })

  it('K04 sign-in from the terminals leads back to them', async () => {
    await open()
    const visitor = aVisitor(at())
    const sent = await visitor.open('/device/sessions')
    await visitor.follow(sent)
    const entered = await visitor.submit('/signin', { email: OWNER.email, password: OWNER.password })
    expect(leadsTo(entered)).to.equal('303 /device/sessions')
  })

  it('K11 all other terminals are signed out in one go, those beyond the first page too', async () => {
    const visitor = await signedIn()
    const kept = await at().login({ label: 'kept' })
    const csrf = visitor.jar.get('csrf_token') ?? ''
    for (let n = 0; n < 230; n += 1) await mintOwn(at(), { label: `t${n}` })
    const fields = { csrf_token: csrf, keep: kept.tokenId }
    await visitor.post('/device/sessions/revoke-others', fields)
    const left = await at().get('/openapi/v1/account/sessions', { token: kept.token })
    expect(left.json.data.map(({ id }: { id: string }) => id)).to.deep.equal([kept.tokenId])
  })

  it('K11 what stays must be one’s own: a wrong name signs nobody out', async () => {
    const visitor = await signedIn()
    await at().addMember('mallory@example.test')
    const theirs = await at().login({ browser: await at().signIn('mallory@example.test') })
    const { token } = await at().login({ label: 'mine' })
    const csrf = visitor.jar.get('csrf_token') ?? ''
    for (const keep of [theirs.tokenId, '', 'none ', 'x']) {
      const reply = await visitor.post('/device/sessions/revoke-others', { csrf_token: csrf, keep })
      expect(`${reply.status} ${heading(reply)}`).to.equal('404 No such terminal')
    }
    expect((await at().get('/openapi/v1/account', { token })).status).to.equal(200)
    const all = await visitor.post('/device/sessions/revoke-others', { csrf_token: csrf, keep: 'none' })
    expect(leadsTo(all)).to.equal('303 /device/sessions')
    expect((await at().get('/openapi/v1/account', { token })).status).to.equal(401)
    expect((await at().get('/openapi/v1/account', { token: theirs.token })).status).to.equal(200)
  })

  it('E23 the others are not signed out without the CSRF token', async () => {
    const visitor = await signedIn()
    const { token } = await at().login()
    expect((await visitor.post('/device/sessions/revoke-others', { keep: 'none' })).status).to.equal(401)
    expect((await at().get('/openapi/v1/account', { token })).status).to.equal(200)
  })

  // What a page says of a decision comes from a cookie; a neighbour under the same domain could plant one.
  it('a planted outcome is shown as text, or not at all', async () => {
    await open()
    const visitor = aVisitor(at())
    const label = Buffer.from('<img src=x>').toString('base64url')
    visitor.jar.set('device_outcome', `approve.${label}`)
    expect((await visitor.open('/device')).text).to.contain('<bdi>&lt;img src=x&gt;</bdi>')
    for (const planted of ['approve', 'maybe.YQ', 'approve.<b>']) {
      visitor.jar.set('device_outcome', planted)
      expect(heading(await visitor.open('/device')), planted).to.equal('Connect a device')
    }
  })
})
