import { expect } from 'chai'
import { API, aPlace, mintOwn } from './place.ts'
import { oauthSuite } from './suites/oauth.ts'

oauthSuite('memory', {})

describe('introspection and revocation', () => {
  it('B23 with bearers off, introspection is a 503 and a revoke still works', async () => {
    const place = await aPlace({ settings: { bearer: { enabled: false, perMinute: 0 } } })
    const token = await mintOwn(place)
    const asked = await place.post(`${API}/oauth/introspect`, { token, form: { token } })
    expect([asked.status, asked.headers.get('retry-after')]).to.deep.equal([503, '60'])
    expect((await place.post(`${API}/oauth/revoke`, { form: { token } })).status).to.equal(200)
    expect((await place.edit.tokenRows()).map(({ live }) => live)).to.deep.equal([false])
    await place.close()
  })

  it('the metadata names both endpoints (RFC 8414 §2)', async () => {
    const place = await aPlace()
    const { json } = await place.get(`${API}/.well-known/oauth-authorization-server`)
    expect(json).to.deep.include({
      introspection_endpoint: `${place.url}${API}/oauth/introspect`,
      introspection_endpoint_auth_methods_supported: ['Bearer'],
      revocation_endpoint: `${place.url}${API}/oauth/revoke`,
      revocation_endpoint_auth_methods_supported: ['none'],
    })
    await place.close()
  })
})
