import { expect } from 'chai'
import * as oauth from 'oauth4webapi'
import * as client from 'openid-client'
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

  it('E28 a JSON client that reads nothing but `token` signs in', async () => {
    const { token } = await world.login({ label: 'json' })
    expect(await emailOf(token)).to.equal('owner@example.test')
  })
})
