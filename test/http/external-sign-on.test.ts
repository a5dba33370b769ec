import { expect } from 'chai'
import type { IdentityBridge } from '#application/ports/identity-bridge.ts'
import type { SubjectAssertion } from '#domain/external-sign-on.ts'
import { aWorld, type World } from '../support/world.ts'

const ORIGIN = 'https://latchkey.example'
const DEVICE = '/openapi/v1/oauth/device'
const PERSON = { email: 'eve@company.example', issuer: 'https://idp.company.example' }

/** A bridge whose provider is a page at `idp.example`. */
function aBridge(overrides: Partial<IdentityBridge> = {}): IdentityBridge {
  return {
    licenseStatus: async () => 'active',
    protocol: async () => 'oidc',
    signOnUrl: async (envelope) => `https://idp.example/sign-on?state=${envelope}`,
    finish: null,
    ...overrides,
  }
}

describe('external sign-on', () => {
  let world: World
  const open = async (bridge: IdentityBridge | null = aBridge(), consoleApiUrl: string | null = ORIGIN) => {
    world = await aWorld({ settings: { consoleApiUrl }, change: (ports) => ({ ...ports, bridge }) })
  }
  afterEach(() => world.close())

  async function start() {
    const { json } = await world.post(`${DEVICE}/code`, { json: { client_id: 'difyctl', device_label: 'laptop' } })
    return json as { device_code: string; user_code: string } // device flow tests check the whole of it
  }
  const assertion = (userCode: string, overrides: Partial<SubjectAssertion> = {}) =>
    world.ports.sealer.sealAssertion({ ...PERSON, userCode, nonce: `n-${Math.random()}`, ...overrides })
  const complete = async (sealed: string, headers: Record<string, string> = {}) =>
    fetch(`${world.url}${DEVICE}/sso-complete?sso_assertion=${encodeURIComponent(sealed)}`, {
      redirect: 'manual',
      headers,
    })
  const grantOf = (response: Response) => {
    const [, grant] = /device_approval_grant=([^;]*)/.exec(response.headers.getSetCookie().join('\n')) ?? []
    return { cookie: `device_approval_grant=${grant ?? ''}` }
  }

  it('F11 a person known only to the provider signs in, approves, and the terminal gets a dfoe_ token', async () => {
    await open()
    const started = await start()
    const initiated = await fetch(`${world.url}${DEVICE}/sso-initiate?user_code=${started.user_code}`, {
      redirect: 'manual',
    })
    expect(initiated.status).to.equal(302)
    expect(initiated.headers.get('location')).to.match(/^https:\/\/idp\.example\/sign-on\?state=/)

    const completed = await complete(await assertion(started.user_code))
    expect(completed.status).to.equal(302)
    expect(completed.headers.get('location')).to.equal('/device?sso_verified=1')
    const cookie = grantOf(completed)
    const context = await world.get(`${DEVICE}/approval-context`, { headers: cookie })
    expect(context.json).to.include({ subject_email: PERSON.email, user_code: started.user_code })

    const approved = await world.post(`${DEVICE}/approve-external`, {
      headers: { ...cookie, 'X-CSRF-Token': context.json.csrf_token },
      json: { user_code: started.user_code.toLowerCase() },
    })
    expect(approved.status, approved.text).to.equal(200)
    expect(approved.headers.getSetCookie().join()).to.contain(
      'device_approval_grant=; Path=/openapi/v1/oauth/device; Max-Age=0',
    )

    const polled = await world.post(`${DEVICE}/token`, {
      json: { client_id: 'difyctl', device_code: started.device_code },
    })
    expect(polled.json.token).to.match(/^dfoe_/)
    expect(polled.json).to.include({ subject_type: 'external_sso', subject_email: PERSON.email, account: null })
    const account = await world.get('/openapi/v1/account', { token: polled.json.token })
    expect(account.json).to.include({ subject_email: PERSON.email, subject_issuer: PERSON.issuer })
  })
})
