import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { expect } from 'chai'
import { newId } from '#adapters/crypto/ids.ts'
import { apiRoutes, consoleApiRoutes, PREFIX } from '#adapters/http/api-routes.ts'
import { schemaOf } from '#adapters/http/openapi-schemas.ts'
import type { Route } from '#adapters/http/route.ts'
import type { Browser, Reply } from '../support/world.ts'
import { chatFile } from './app-files.ts'
import { mintExternal, mintOwn, NO_BEARER_LIMIT, type Place } from './place.ts'
import { anSsoPlace } from './sso.ts'

const MIB = 1024 * 1024
const HUGE = 'x'.repeat(MIB)
const DEEP = `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`
/** JSON text, so that what JSON.stringify would not write can be sent too. */
const VALUES: readonly (readonly [name: string, json: string])[] = [
  ['null', 'null'],
  ['a number', '7'],
  ['a huge number', '1e400'],
  ['a boolean', 'true'],
  ['a list', '[]'],
  ['a list of lists', '[[["a"]]]'],
  ['an object', '{}'],
  ['an object with a prototype', '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}'],
  ['no text', '""'],
  ['blank text', '"\\t\\t"'],
  ['a NUL', '"a\\u0000b"'],
  ['a control character', '"a\\u001bb"'],
  ['a lone surrogate', '"a\\ud800b"'],
  ['text beyond any limit', JSON.stringify('x'.repeat(100_000))],
  ['a mebibyte', JSON.stringify(HUGE)],
  ['10 000 levels', DEEP],
]
/** No reader of these takes them, whatever the schema of a field can say. */
const UNUSABLE = new Set(['a NUL', 'a lone surrogate', '10 000 levels'])

const routes = [
  ...apiRoutes.map((one) => ({ one, prefix: PREFIX })),
  ...consoleApiRoutes.map((one) => ({ one, prefix: '/console/api' })),
]
const ajv = new Ajv2020({ strict: false, validateFormats: false })

describe('hostile input', function () {
  this.timeout(20_000)
  let place: Place
  let browser: Browser
  /** What a browser sends that comes from an external sign-on. */
  let granted: Readonly<Record<string, string>>
  let appId: string
  before(async () => {
    // Licensed, so that the routes of the external sign-on are there.
    place = await anSsoPlace({
      settings: { ...NO_BEARER_LIMIT, decidePerHour: 1_000_000 },
      trustedProxies: ['127.0.0.1/32'],
    })
    appId = await place.addApp(chatFile())
    granted = await signOn()
  })
  beforeEach(async () => {
    browser = await place.signIn()
  })
  afterEach(async () => {
    expect((await place.get(`${PREFIX}/_health`)).status, 'the server lives').to.equal(200)
    expect(Object.hasOwn(Object.prototype, 'polluted')).to.equal(false)
  })
  after(() => place.close())

  async function signOn() {
    const device = `${place.url}${PREFIX}/oauth/device`
    const { userCode } = await place.startFlow()
    const person = { email: 'eve@company.example', issuer: 'https://idp.company.example' }
    const sealed = await place.ports.sealer.sealAssertion({ ...person, userCode, nonce: 'nonce' })
    const query = new URLSearchParams({ sso_assertion: sealed })
    const completed = await fetch(`${device}/sso-complete?${query}`, { redirect: 'manual' })
    const [Cookie = ''] = /device_approval_grant=[^;]*/.exec(completed.headers.getSetCookie().join('\n')) ?? []
    const { json } = await place.get(`${PREFIX}/oauth/device/approval-context`, { headers: { Cookie } })
    expect(json?.user_code, 'a grant').to.equal(userCode)
    return { Cookie, 'X-CSRF-Token': String(json.csrf_token) }
  }

  async function credentialsOf({
    access,
  }: Route): Promise<{ token?: string; headers: Readonly<Record<string, string>> }> {
    switch (access.kind) {
      case 'bearer':
        return {
          token: access.accepts === 'external_sso' ? await mintExternal(place) : await mintOwn(place),
          headers: {},
        }
      case 'app':
        return { token: await mintOwn(place), headers: {} }
      case 'approval-grant':
        return { headers: granted }
      default:
        return { headers: browser.headers }
    }
  }

  let drawn = 0
  /** Never refused for who it is or how often it comes, where that can be helped. */
  async function send({ one, prefix }: (typeof routes)[number], how: { query?: string; body?: string; type?: string }) {
    drawn += 1
    const { token, headers } = await credentialsOf(one)
    // Any other parameter may be a secret, which the app's id, being logged, must not be taken for.
    const path = one.path.replaceAll(/:(\w+)/g, (_, name) => (name === 'id' ? appId : newId()))
    return place.send(one.method.toUpperCase(), `${prefix}${path}${how.query ?? queryOf(one)}`, {
      ...(token === undefined ? {} : { token }),
      headers: {
        ...headers,
        'X-Forwarded-For': `2001:db8:${(drawn >> 16).toString(16)}:${(drawn & 0xffff).toString(16)}::1`,
        ...(how.body === undefined ? {} : { 'Content-Type': how.type ?? 'application/json' }),
      },
      ...(how.body === undefined ? {} : { body: how.body }),
    })
  }

  function queryOf({ example }: Route): string {
    const given = Object.entries((example?.query ?? {}) as Record<string, string>) // a query schema's input
    return given.length === 0 ? '' : `?${new URLSearchParams(given)}`
  }

  /** A good body with one field replaced by JSON text. */
  function bodyWith({ example }: Route, field: string, json: string): string {
    const members = Object.entries(example?.body ?? {}).filter(([name]) => name !== field)
    const parts = members.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`)
    return `{${[...parts, `${JSON.stringify(field)}:${json}`].join(',')}}`
  }

  function expectRefused(reply: Reply, what: string): void {
    expect(reply.status, `${what}: ${reply.text.slice(0, 200)}`).to.be.within(400, 499)
  }

  const withBody = routes.filter(({ one }) => one.body !== undefined)
  const withQuery = routes.filter(({ one }) => one.query !== undefined)
  it('reaches every route that takes a body past its guards', async () => {
    for (const route of withBody) {
      const reply = await send(route, { body: '{' })
      expect([400, 422], `${route.one.path}: ${reply.text}`).to.include(reply.status)
    }
  })

  it('knows routes with bodies and with queries', () => {
    expect(withBody).to.have.length.above(8)
    expect(withQuery).to.have.length.above(3)
  })

  for (const route of withBody) {
    const { one, prefix } = route
    const name = `${one.method.toUpperCase()} ${prefix}${one.path}`
    const { properties = {} } = one.body === undefined ? {} : schemaOf(one.body)

    for (const [field, schema] of Object.entries(properties)) {
      it(`A12 A15 ${name}: whatever stands in ${field}, what its schema refuses is refused by name`, async () => {
        const fits = ajv.compile(schema)
        for (const [what, json] of VALUES) {
          const reply = await send(route, { body: bodyWith(one, field, json) })
          expect(reply.status, `${field} ${what}: ${reply.text}`).to.be.below(500)
          const refused = UNUSABLE.has(what) || json === '1e400' ? true : !fits(JSON.parse(json))
          if (!refused) continue
          expectRefused(reply, `${field} ${what}`)
          if (json.length < MIB) expect(reply.text, `${field} ${what}`).to.contain(field)
          else expect(reply.status).to.be.oneOf([400, 413, 422])
        }
      })
    }

    it(`A12 ${name}: bodies that are no object, no JSON or of another type are refused`, async () => {
      const bad = ['[]', '7', '"text"', 'null', '{', '{"a":', '\u0000', '[[[[', DEEP, `[${'['.repeat(100_000)}`]
      for (const body of bad) expectRefused(await send(route, { body }), body.slice(0, 20))
      const types = [
        'text/plain',
        'application/xml',
        'multipart/form-data; boundary=x',
        'application/octet-stream',
        'a',
        '/',
      ]
      for (const type of types) {
        const reply = await send(route, { body: '{}', type })
        expect(reply.status, type).to.equal(415)
      }
      if (one.form) return
      const form = await send(route, { body: 'a=b', type: 'application/x-www-form-urlencoded' })
      expect(form.status).to.equal(415)
    })

    it(`A12 A15 ${name}: prototype keys and 10 000 others change nothing`, async () => {
      const many = Array.from({ length: 10_000 }, (_, at) => `"k${at}":${at}`).join(',')
      for (const extra of [many, '"__proto__":{"polluted":1}', '"constructor":{"prototype":{"polluted":1}}']) {
        expect((await send(route, { body: `{${extra}}` })).status, extra.slice(0, 20)).to.be.within(200, 499)
      }
      if (!one.form) return
      const type = 'application/x-www-form-urlencoded'
      const [field = ''] = Object.keys(properties)
      const twice = await send(route, { body: `${field}=a&${field}=b`, type })
      expect([twice.status, twice.text.includes(field)]).to.deep.equal([400, true])
      const keys = Array.from({ length: 10_000 }, (_, at) => `k${at}=${at}`).join('&')
      for (const body of [keys, '__proto__=1&__proto__[a]=1', '&&&==&', '%', '%zz=%zz', `${field}=%00`]) {
        expectRefused(await send(route, { body, type }), body.slice(0, 20))
      }
    })
  }

  for (const route of withQuery) {
    const { one, prefix } = route
    const { properties = {} } = one.query === undefined ? {} : schemaOf(one.query)
    for (const [field, schema] of Object.entries(properties)) {
      it(`A15 ${one.method.toUpperCase()} ${prefix}${one.path}: whatever stands in ?${field}=`, async () => {
        const others = new URLSearchParams(queryOf(one))
        others.delete(field)
        const isText = schema.type === 'string' && schema.enum === undefined
        const never = ['%00', 'a%00', '%ED%A0%80', '%ff']
        const notNumbers = ['', '-1', '0', '1.5', '1e9', 'NaN', '99999999999999999999', '%20', '[]', 'x'.repeat(8000)]
        for (const value of [...never, ...notNumbers]) {
          const reply = await send(route, { query: `?${others}&${field}=${value}` })
          expect(reply.status, value).to.be.below(500)
          const isOffered = Array.isArray(schema.enum) && schema.enum.includes(value)
          const refused = never.includes(value) || (!isText && !isOffered && value !== '')
          if (!refused) continue
          expectRefused(reply, `${field}=${value.slice(0, 20)}`)
          if (one.access.kind !== 'bearer' || reply.status !== 403)
            expect(reply.text, value.slice(0, 20)).to.contain(field)
        }
        for (const query of [
          `?${field}[]=1`,
          `?${field}=a&${field}=b`,
          '?__proto__=1&constructor=2',
          '?&&=&%',
          '?%zz',
        ]) {
          expect((await send(route, { query })).status, query).to.be.below(500)
        }
      })
    }
  }

  it('A12 a thousand keys in the query of any route are no fault', async () => {
    const query = `?${Array.from({ length: 1000 }, (_, at) => `k${at}`).join('&')}`
    for (const route of routes) expect((await send(route, { query, ...bodyFor(route.one) })).status).to.be.below(500)
  })

  const bodyFor = ({ body }: Route) => (body === undefined ? {} : { body: '{}' })

  // What one request leaves behind, an attacker can multiply.
  it('A12 a hundred bodies of a mebibyte leave nothing behind', async () => {
    setFlagsFromString('--expose-gc')
    const collect: () => void = runInNewContext('gc')
    const held = async () => {
      // What the last answers left on their sockets goes with the turns after them.
      for (let turn = 0; turn < 3; turn++) {
        await new Promise((resolve) => setImmediate(resolve))
        collect()
      }
      const { heapUsed, external } = process.memoryUsage()
      return (heapUsed + external) / MIB
    }
    const round = async (times: number) => {
      for (let at = 0; at < times; at++) {
        const route = withBody[at % withBody.length]
        if (route === undefined) throw new Error('no routes')
        const [field = ''] = Object.keys(
          route.one.body === undefined ? {} : (schemaOf(route.one.body).properties ?? {}),
        )
        const body = bodyWith(route.one, field, at % 2 === 0 ? JSON.stringify('x'.repeat(MIB - 2000)) : DEEP)
        expect((await send(route, { body })).status).to.be.below(500)
      }
    }
    // Twice: what is compiled and kept once for all comes with the first bodies of each size.
    await round(100)
    const heldBefore = await held()
    await round(100)
    expect((await held()) - heldBefore).to.be.below(16)
  })
})
