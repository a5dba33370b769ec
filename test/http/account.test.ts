import { expect } from 'chai'
import sinon from 'sinon'
import { OWNER } from '../support/world.ts'
import { said } from './flow.ts'
import { API, aPlace, mintExternal, mintOwn, NO_BEARER_LIMIT, type Place } from './place.ts'

const settings = { ...NO_BEARER_LIMIT, decidePerHour: 0 }

describe('the account', () => {
  let place: Place
  let token: string

  beforeEach(async () => {
    place = await aPlace({ settings })
    token = await mintOwn(place)
  })
  afterEach(async () => {
    sinon.restore()
    await place.close()
  })

  const account = (bearer = token) => place.get(`${API}/account`, { token: bearer })
  const newWorkspace = (name: string, createdAtMs: number) =>
    place.edit.addWorkspace({ name, accountId: place.owner.accountId, role: 'normal', createdAtMs })

  it('G01 tells an account who it is and where it belongs, oldest workspace first', async () => {
    const older = await newWorkspace('Older', place.clock.now() - 1)
    const { accountId, workspaceId } = place.owner
    expect((await account()).json).to.deep.equal({
      subject_type: 'account',
      subject_email: OWNER.email,
      subject_issuer: null,
      account: { id: accountId, email: OWNER.email, name: OWNER.name },
      workspaces: [
        { id: older, name: 'Older', role: 'normal' },
        { id: workspaceId, name: `${OWNER.name}'s Workspace`, role: 'owner' },
      ],
      default_workspace_id: workspaceId,
    })
  })

  it('G01 tells an external subject who it is, and nothing it has not', async () => {
    expect((await account(await mintExternal(place))).json).to.deep.equal({
      subject_type: 'external_sso',
      subject_email: 'sam@partner.example',
      subject_issuer: 'https://idp.partner.example',
      account: null,
      workspaces: [],
      default_workspace_id: null,
    })
  })

  it('G02 the default workspace is the current one, else the oldest, else none', async () => {
    const { accountId } = await place.addMember('mia@example.test')
    const mine = async () => {
      const browser = await place.signIn('mia@example.test')
      const { token: bearer } = await place.login({ browser, label: place.ports.newId() })
      return (await account(bearer)).json.default_workspace_id
    }
    const older = await place.edit.addWorkspace({ name: 'Older', accountId, createdAtMs: place.clock.now() - 1 })
    expect(await mine()).to.equal(older)
    await place.ports.memberships.setCurrent(accountId, place.owner.workspaceId)
    expect(await mine()).to.equal(place.owner.workspaceId)
    await place.ports.memberships.remove(accountId, place.owner.workspaceId)
    expect(await mine()).to.equal(older)
    await place.ports.memberships.remove(accountId, older)
    expect(await mine()).to.equal(null)
  })

  it('G03 has a limit of its own, sixty a minute and person, over all of their tokens', async () => {
    const second = await mintOwn(place, { label: 'second' })
    for (let call = 0; call < 60; call++) expect((await account(call % 2 === 0 ? token : second)).status).to.equal(200)
    const refused = await account()
    expect(said(refused)).to.equal('429 rate_limited')
    expect(refused.json.retry_after_ms).to.equal(Number(refused.headers.get('retry-after')) * 1000)
    expect((await place.get(`${API}/workspaces`, { token })).status).to.equal(200)
    expect((await account(await mintExternal(place, OWNER.email))).status).to.equal(200)
    place.clock.advance(60_000)
    expect((await account()).status).to.equal(200)
  })
})
