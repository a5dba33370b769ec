import { expect } from 'chai'
import { chatFile } from './app-files.ts'
import { said } from './flow.ts'
import { aPlace, type Place } from './place.ts'

const MODE = '/console/api/enterprise/webapp/app/access-mode'

describe('whom an app admits, through the console', () => {
  let place: Place
  let appId: string
  let headers: Readonly<Record<string, string>>

  beforeEach(async () => {
    place = await aPlace()
    appId = await place.addApp(chatFile())
    headers = (await place.signIn()).headers
  })
  afterEach(() => place.close())

  const access = () => `/console/api/apps/${appId}/access`
  const as = async (email: string, role: 'admin' | 'editor' | 'normal') => {
    await place.addMember(email, role)
    return (await place.signIn(email)).headers
  }

  it('N06 a provisioning script sets the mode of an app, and it shows', async () => {
    const set = await place.post(MODE, { headers, json: { appId, accessMode: 'private' } })
    expect(set.json).to.deep.equal({ result: 'success' })
    expect((await place.get(access(), { headers })).json).to.deep.equal({ access_mode: 'private', grants: [] })
  })

  it('grants and withdrawals are one change: a bad one among them changes nothing', async () => {
    const grant = ['Eve@Company.example', '@partner.example', 'group:Staff']
    const granted = await place.post(access(), { headers, json: { access_mode: 'private', grant } })
    expect(granted.json.grants).to.deep.equal(['@partner.example', 'eve@company.example', 'group:Staff'])
    const bad = await place.post(access(), { headers, json: { withdraw: ['group:Staff'], grant: ['not a person'] } })
    expect(bad.status).to.equal(422)
    expect(bad.json.details[0].loc).to.deep.equal(['grant', 0])
    const withdrawn = await place.post(access(), { headers, json: { withdraw: ['group:Staff'] } })
    expect(withdrawn.json).to.deep.equal({
      access_mode: 'private',
      grants: ['@partner.example', 'eve@company.example'],
    })
  })

  for (const json of [{}, { appId: 'x', accessMode: 'public' }, { accessMode: 'public' }, []]) {
    it(`refuses ${JSON.stringify(json)} with the field`, async () => {
      expect((await place.post(MODE, { headers, json })).status).to.equal(422)
    })
  }

  it('a mode of nobody’s is refused', async () => {
    const reply = await place.post(MODE, { headers, json: { appId, accessMode: 'open' } })
    expect(reply.status).to.equal(422)
    expect(reply.json.details[0].loc).to.deep.equal(['accessMode'])
  })

  it('takes an admin; editors and members are told so, strangers find no app', async () => {
    const json = { appId, accessMode: 'public' }
    expect((await place.post(MODE, { headers: await as('admin@example.test', 'admin'), json })).status).to.equal(200)
    for (const role of ['editor', 'normal'] as const) {
      const theirs = await as(`${role}@example.test`, role)
      expect(said(await place.post(MODE, { headers: theirs, json }))).to.equal('403 forbidden')
      expect((await place.get(access(), { headers: theirs })).status).to.equal(403)
    }
    await place.ports.memberships.remove(place.owner.accountId, place.owner.workspaceId)
    expect((await place.post(MODE, { headers, json })).json.message).to.equal('app not found')
  })

  it('is closed without a session, without CSRF, and to terminals', async () => {
    const json = { appId, accessMode: 'public' }
    expect((await place.post(MODE, { json })).status).to.equal(401)
    const { Cookie: cookie = '', cookie: lower = cookie } = headers
    expect(said(await place.post(MODE, { headers: { cookie: lower }, json }))).to.equal('401 csrf_mismatch')
  })
})
