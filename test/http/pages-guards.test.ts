import { expect } from 'chai'
import { OWNER } from '../support/world.ts'
import { aVisitor, heading, leadsTo, pagesWorld } from './pages-visitor.ts'

describe('what guards the pages', () => {
  const { open, signedIn, pollOf, close, at } = pagesWorld()
  afterEach(close)

  // Link previews and prefetchers open addresses: opening one must never let a device in.
  it('opening a page decides nothing, however often and with whatever in the address', async () => {
    const visitor = await signedIn()
    const { userCode, deviceCode } = await at().startFlow()
    for (const rest of ['', '', '&decision=approve', '&decision=approve&csrf_token=x']) {
      expect((await visitor.open(`/device?user_code=${userCode}${rest}`)).status).to.equal(200)
    }
    expect((await visitor.open(`/device/decide?user_code=${userCode}&decision=approve`)).status).to.equal(405)
    expect(await pollOf(deviceCode)).to.equal('authorization_pending')
  })

  it('no link can make the page claim that a device was let in', async () => {
    await open()
    const page = await aVisitor(at()).open('/device?device_outcome=approve&decided=approve&outcome=approve')
    expect(heading(page)).to.equal('Connect a device')
  })

  it('E22 a terminal’s token opens no page and decides nothing', async () => {
    await open()
    const { token } = await at().login()
    const { userCode, deviceCode } = await at().startFlow('second')
    const terminal = aVisitor(at(), { Authorization: `Bearer ${token}` })
    expect(heading(await terminal.open(`/device?user_code=${userCode}`))).to.equal('Sign in to go on')
    expect((await terminal.post('/device/decide', { user_code: userCode, decision: 'approve' })).status).to.equal(401)
    expect(leadsTo(await terminal.open('/device/sessions'))).to.equal('303 /signin?return_to=/device/sessions')
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
      const { userCode, deviceCode } = await at().startFlow()
      const reply = await visitor.post('/device/decide', { ...field, user_code: userCode, decision: 'approve' })
      expect(`${reply.status} ${heading(reply)}`).to.equal('401 This session is no longer valid')
      expect(await pollOf(deviceCode)).to.equal('authorization_pending')
    })
  }

  it('E23 a decision with somebody else’s valid token is refused', async () => {
    const visitor = await signedIn()
    await at().addMember('mallory@example.test')
    const mallory = await at().signIn('mallory@example.test')
    const { userCode, deviceCode } = await at().startFlow()
    visitor.jar.set('csrf_token', mallory.csrf)
    const fields = { csrf_token: mallory.csrf, user_code: userCode, decision: 'approve' }
    expect((await visitor.post('/device/decide', fields)).status).to.equal(401)
    expect(await pollOf(deviceCode)).to.equal('authorization_pending')
  })

  for (const path of [
    '/install',
    '/signin',
    '/signout',
    '/device',
    '/device/decide',
    '/device/sessions/revoke',
    '/device/sessions/revoke-others',
  ]) {
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

  it('K09 no page has inline script or style, may be framed or stored, or tells other sites its address', async () => {
    const visitor = await signedIn()
    await at().login()
    const { userCode } = await at().startFlow()
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
    const json = await at().post('/signin', { json: OWNER })
    const twice = await at().post('/signin', { form: 'email=a&email=b&password=x' })
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
      const first = await at().get(`/assets/${name}`)
      expect(`${first.status} ${first.headers.get('content-type')}`).to.equal(`200 ${type}`)
      // fetch asks for no-cache with a validator, unless told.
      const headers = { 'Cache-Control': 'max-age=0', 'If-None-Match': first.headers.get('etag') ?? '' }
      const second = await at().get(`/assets/${name}`, { headers })
      expect(`${second.status} ${second.text}`).to.equal('304 ')
    }
    for (const path of [
      'layout.html',
      '..%2fpackage.json',
      '%2e%2e%2fpackage.json',
      '....//package.json',
      'device.css%00',
    ]) {
      expect((await at().get(`/assets/${path}`)).status, path).to.equal(404)
    }
  })

  const PERSON = { Accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }

  it('whoever opens an address without a page is told so in words, with a way on', async () => {
    await open()
    for (const path of ['/devices', '/device/', '/Signin', '/v1/me', '/a/b']) {
      const page = await at().get(path, { headers: PERSON })
      expect(`${page.status} ${heading(page)}`, path).to.equal('404 There is no such page')
      expect(page.text, path).to.include('href="/device"').and.not.include('not_found')
    }
    const form = await at().get('/device/decide', { headers: PERSON })
    expect(`${form.status} ${form.headers.get('allow')} ${heading(form)}`).to.equal('405 POST There is no such page')
    const chinese = await at().get('/devices', { headers: { ...PERSON, 'Accept-Language': 'zh-CN' } })
    expect(heading(chinese)).to.equal('没有该页面')
  })

  it('programs, and everybody below the API, hear in JSON of an address that is not there', async () => {
    await open()
    for (const [path, headers] of [
      ['/devices', {}],
      ['/devices', { Accept: '*/*' }],
      ['/devices', { Accept: 'application/json' }],
      ['/openapi/v1/none', PERSON],
      ['/console/api/none', PERSON],
    ] as const) {
      const reply = await at().get(path, { headers })
      expect([reply.status, reply.json.error], path).to.deep.equal([404, 'not_found'])
    }
    expect((await at().post('/devices', { json: {}, headers: PERSON })).json.error).to.equal('not_found')
  })

  // Else a browser's Accept would tell the path of the doctor's questions from those that are not there.
  it('security: the path that only doctor asks looks like any that is not there, to browsers as well', async () => {
    await open()
    const [seen, absent] = await Promise.all(['/_seen', '/_sean'].map((path) => at().get(path, { headers: PERSON })))
    expect([seen?.status, seen?.text]).to.deep.equal([absent?.status, absent?.text])
  })
})
