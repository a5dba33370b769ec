import { expect } from 'chai'
import { openReplicas, type Replica, type Replicas, replicaSuite, setUp } from '../support/replicas.ts'
import { OWNER } from '../support/world.ts'

const API = '/openapi/v1'
const METADATA = [`${API}/.well-known/oauth-authorization-server`, `/.well-known/oauth-authorization-server${API}`]

replicaSuite('a server that others reach', function () {
  this.timeout(60_000)
  let replicas: Replicas
  before(async () => {
    replicas = await openReplicas()
  })
  after(() => replicas.close())

  const codeOf = (replica: Replica) =>
    replica.post(`${API}/oauth/device/code`, {
      json: { client_id: 'difyctl', device_label: 'laptop' },
      headers: { Host: 'evil.example', 'X-Forwarded-Host': 'evil.example', 'X-Forwarded-Proto': 'https' },
    })

  it('E28b that does not know its public origin has no metadata, and sends people to the configured pages', async () => {
    const replica = await replicas.start({ HOST: '0.0.0.0', CONSOLE_WEB_URL: 'http://web.example' })
    for (const path of METADATA) {
      const { status, json } = await replica.get(path)
      expect([status, json.error], path).to.deep.equal([404, 'not_found'])
    }
    expect((await codeOf(replica)).json.verification_uri).to.equal('http://web.example/device')
    await replica.stop()
  })

  it('E28b M06 behind https names its public origins, and its cookies belong to this host alone', async () => {
    const [web, api] = ['https://web.example', 'https://api.example:8443']
    const replica = await replicas.start({ HOST: '0.0.0.0', CONSOLE_WEB_URL: web, CONSOLE_API_URL: api })
    for (const path of METADATA) {
      const { status, json } = await replica.get(path)
      expect([status, json.issuer], path).to.deep.equal([200, `${api}${API}`])
      expect(json.token_endpoint).to.equal(`${api}${API}/oauth/device/token`)
    }
    const { user_code: userCode, verification_uri_complete: link } = (await codeOf(replica)).json
    expect(link).to.equal(`${web}/device?user_code=${userCode}`)

    await setUp(replica)
    const login = await replica.post('/console/api/login', {
      json: { email: OWNER.email, password: OWNER.password },
      headers: { Origin: web },
    })
    expect(login.status).to.equal(200)
    expect(login.headers.get('strict-transport-security')).to.equal('max-age=31536000')
    const lines = login.headers.getSetCookie()
    expect(lines.map((line) => line.split('=')[0])).to.have.members([
      '__Host-access_token',
      '__Host-csrf_token',
      '__Host-refresh_token',
    ])
    for (const line of lines) expect(line).to.contain('; Secure').and.not.contain('Domain')
    await replica.stop()
  })
})
