import { expect } from 'chai'
import * as oauth from 'oauth4webapi'
import * as client from 'openid-client'
import { chatFile } from '../http/app-files.ts'
import { aWorld, type World } from '../support/world.ts'

// These clients wait out the advertised interval by themselves: seconds of real time, and no way around it.
describe('foreign OAuth clients', function () {
  this.timeout(60_000)
  let world: World

  before(async () => {
    world = await aWorld()
  })
  after(() => world.close())

  async function approve(userCode: string): Promise<void> {
    const { headers } = await world.signIn()
    const reply = await world.post('/openapi/v1/oauth/device/approve', { json: { user_code: userCode }, headers })
    expect(reply.status, reply.text).to.equal(200)
  }

  async function emailOf(token: string): Promise<string> {
    const { json } = await world.get('/openapi/v1/account', { token })
    return json.subject_email
  }

  it('E28 openid-client discovers, asks by form and signs in unmodified', async () => {
    const issuer = new URL(`${world.url}/openapi/v1`)
    const config = await client.discovery(issuer, 'latchkey', undefined, client.None(), {
      algorithm: 'oauth2',
      execute: [client.allowInsecureRequests],
    })
    const started = await client.initiateDeviceAuthorization(config, { device_label: 'openid-client' })
    expect(started.verification_uri).to.equal(`${world.url}/device`)
    const polling = client.pollDeviceAuthorizationGrant(config, started)
    await approve(started.user_code)
    const tokens = await polling
    expect(tokens.token_type).to.equal('bearer')
    expect(tokens.scope).to.equal('full')
    expect(await emailOf(tokens.access_token)).to.equal('owner@example.test')
  })

  it('E28 oauth4webapi signs in unmodified, and reads each pending answer as the standard says', async () => {
    const issuer = new URL(`${world.url}/openapi/v1`)
    const insecure = { [oauth.allowInsecureRequests]: true }
    const found = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure })
    const server = await oauth.processDiscoveryResponse(issuer, found)
    const device: oauth.Client = { client_id: 'difyctl' }
    const asked = await oauth.deviceAuthorizationRequest(
      server,
      device,
      oauth.None(),
      { device_label: 'o4w' },
      insecure,
    )
    const started = await oauth.processDeviceAuthorizationResponse(server, device, asked)
    const poll = async () => {
      const reply = await oauth.deviceCodeGrantRequest(server, device, oauth.None(), started.device_code, insecure)
      return oauth.processDeviceCodeResponse(server, device, reply)
    }
    const errorOf = (failed: unknown) => (failed instanceof oauth.ResponseBodyError ? failed.error : failed)
    expect(await poll().catch(errorOf)).to.equal('authorization_pending')
    expect(await poll().catch(errorOf)).to.equal('slow_down')
    await approve(started.user_code)
    const tokens = await poll()
    if (!('access_token' in tokens)) throw new Error('no token')
    expect(await emailOf(tokens.access_token)).to.equal('owner@example.test')
    expect(await poll().catch(errorOf)).to.equal('expired_token')
  })

  // As difyctl sends them: a POST without a body says Content-Length: 0 and names no content type.
  it('N01 a client that looks after a workspace goes all its ways with one token', async () => {
    const { token } = await world.login({ label: 'difyctl' })
    const ask = async (method: string, path: string, json?: unknown) => {
      const how = json === undefined ? { headers: { 'Content-Length': '0' } } : { json }
      const reply = await world.send(method, `/openapi/v1${path}`, { token, ...(method === 'POST' || json ? how : {}) })
      expect(reply.status, `${method} ${path}: ${reply.text}`).to.be.within(200, 202)
      return reply.json
    }
    const [{ id }] = (await ask('GET', '/workspaces')).workspaces
    expect((await ask('POST', `/workspaces/${id}/switch`)).current).to.equal(true)

    const { accountId } = await world.addMember('colleague@example.test')
    const member = `/workspaces/${id}/members/${accountId}`
    await ask('PUT', `${member}/role`, { role: 'admin' })
    const { data: members } = await ask('GET', `/workspaces/${id}/members?page=1&limit=50`)
    expect(members.map((one: { role: string }) => one.role)).to.deep.equal(['admin', 'owner'])
    await ask('DELETE', member)

    const file = chatFile('Kept').replace('"0.6.0"', '"9.0.0"')
    const imports = `/workspaces/${id}/apps/imports`
    const pending = await ask('POST', imports, { mode: 'yaml-content', yaml_content: file })
    const { status, app_id: appId } = await ask('POST', `${imports}/${pending.id}/confirm`)
    expect([pending.status, status]).to.deep.equal(['pending', 'completed'])
    expect(await ask('GET', `/apps/${appId}/check-dependencies`)).to.deep.equal({ leaked_dependencies: [] })
    const { data } = await ask('GET', `/apps/${appId}/export?include_secret=false`)
    expect(data).to.contain('name: Kept')
    const said = await ask('POST', `/apps/${appId}/run`, { inputs: {}, query: 'hello', response_mode: 'blocking' })
    expect(said.answer).to.be.a('string').and.not.equal('')
  })

  it('E28 a JSON client that reads nothing but `token` signs in', async () => {
    const { token } = await world.login({ label: 'json' })
    expect(await emailOf(token)).to.equal('owner@example.test')
  })
})
