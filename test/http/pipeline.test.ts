import { expect } from 'chai'
import sinon from 'sinon'
import { renderError } from '#adapters/http/errors.ts'
import { makeAppChecks, mountAccount } from '#application/auth/checks.ts'
import { DomainError } from '#domain/errors.ts'
import { aPolicy } from '../support/policy.ts'
import type { WorldOptions } from '../support/world.ts'
import { chatFile } from './app-files.ts'
import { said } from './flow.ts'
import { API, aPlace, mintExternal, mintOwn, type Place } from './place.ts'

describe('the run pipeline', () => {
  let place: Place
  let token: string
  let appId: string

  async function open(options: WorldOptions = {}): Promise<void> {
    place = await aPlace(options)
    token = await mintOwn(place)
    appId = await place.addApp(chatFile())
  }
  afterEach(async () => {
    sinon.restore()
    await place.close()
  })

  const run = (id = appId, bearer = token) =>
    place.post(`${API}/apps/${id}/run`, { token: bearer, json: { inputs: {}, query: 'hi' } })

  it('D02 a refusal stops the rest: nothing behind the failing guard is asked', async () => {
    await open()
    const find = sinon.spy(place.ports.apps, 'find')
    const member = sinon.spy(place.ports.memberships, 'find')
    const preflight = sinon.spy(place.ports.runner, 'preflight')
    expect((await place.post(`${API}/apps/${appId}/run`, { json: { inputs: {}, query: 'hi' } })).status).to.equal(401)
    expect(find.callCount).to.equal(0)
    expect(said(await run(place.ports.newId()))).to.equal('404 not_found')
    expect(find.callCount).to.equal(1)
    expect([member.callCount, preflight.callCount]).to.deep.equal([0, 0])
  })

  it('D03 the handler gets the app, the caller and its kind', async () => {
    await open()
    const admitted = await place.cases.admitToApp({ bearer: token, requires: 'apps:run', appId })
    expect(admitted.app).to.deep.include({ id: appId, workspaceId: place.owner.workspaceId })
    expect(admitted.caller.kind).to.equal('account')
    expect(admitted.caller.owner).to.deep.equal({ kind: 'account', id: place.owner.accountId })
    expect((await run()).status).to.equal(200)
    const [event] = await place.edit.auditRows('app.run.openapi')
    expect(event?.facts).to.deep.include({ app_id: appId, caller_kind: 'account', surface: 'apps' })
  })

  it('D05 a missing app, and one that is not normal, are the same 404', async () => {
    await open()
    const missing = await run(place.ports.newId())
    await place.edit.setApp(appId, { status: 'deleted' })
    const gone = await run()
    for (const reply of [missing, gone]) {
      expect(reply.status).to.equal(404)
      expect(reply.json).to.deep.equal({ error: 'not_found', code: 'not_found', message: 'app not found', status: 404 })
    }
    expect(gone.text).to.equal(missing.text)
  })

  it('D06 an app whose API is off is a 403 to run, and can be described', async () => {
    await open()
    await place.edit.setApp(appId, { apiEnabled: false })
    expect(said(await run())).to.equal('403 service_api_disabled')
    const described = await place.get(`${API}/apps/${appId}/describe`, { token })
    expect(described.status).to.equal(200)
    expect(described.json.info.service_api_enabled).to.equal(false)
  })

  it('D07 an app of an archived workspace is a 403, to run and to describe', async () => {
    await open()
    await place.edit.setWorkspaceStatus(place.owner.workspaceId, 'archive')
    for (const reply of [await run(), await place.get(`${API}/apps/${appId}/describe`, { token })]) {
      expect(reply.status).to.equal(403)
      expect(reply.json).to.deep.include({ error: 'forbidden', message: 'workspace unavailable' })
    }
  })

  it('D09 membership access refuses people from outside', async () => {
    await open()
    expect(said(await run(appId, await mintExternal(place)))).to.equal('403 subject_no_app_access')
  })

  it('D10 whom the access strategy refuses is told subject_no_app_access, and nothing is run', async () => {
    await open({ change: (ports) => ({ ...ports, policy: aPolicy({ modeOf: async () => 'of the future' }) }) })
    const preflight = sinon.spy(place.ports.runner, 'preflight')
    const reply = await run()
    expect(reply.status).to.equal(403)
    expect(reply.json).to.deep.include({ error: 'subject_no_app_access', message: 'subject_no_app_access' })
    expect(preflight.callCount).to.equal(0)
    expect(await place.edit.auditRows('app.run.openapi')).to.have.length(0)
  })

  it('D11 an account works in the workspace of the app, whichever is its current one', async () => {
    await open()
    const workspaceId = await place.edit.addWorkspace({
      name: 'Second',
      accountId: place.owner.accountId,
      createdAtMs: place.clock.now(),
    })
    const second = await place.addApp(chatFile('Second'), { workspaceId })
    const admitted = await place.cases.admitToApp({ bearer: token, requires: 'apps:run', appId: second })
    expect(admitted.caller.workspaceId).to.equal(workspaceId)
    expect(await mountAccount(admitted.context, admitted.app)).to.deep.equal(admitted.caller)
  })

  it('D13 a subject that no mounter knows is a 401', async () => {
    await open()
    const { callerMount } = makeAppChecks({
      ...place.ports,
      authenticate: place.cases.authenticate,
      requireMembership: async () => {},
      access: async () => true,
      mounters: [async () => null],
    })
    const admitted = await place.cases.admitToApp({ bearer: token, requires: 'apps:run', appId })
    const thrown = await callerMount(admitted).catch((error: unknown) => error)
    if (!(thrown instanceof DomainError)) throw new Error('somebody was mounted')
    expect(renderError(thrown.code, thrown.facts).body).to.deep.equal({
      error: 'unauthorized',
      code: 'unauthorized',
      message: 'unauthorized',
      status: 401,
    })
  })
})
