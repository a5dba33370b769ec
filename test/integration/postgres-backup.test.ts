import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { API } from '../http/place.ts'
import { createEmptyDatabase, dropTemplate, type TestDatabase } from '../support/databases.ts'
import { postgresCommand } from '../support/own-services.ts'
import { openReplicas, type Replicas, replicaSuite, setUp } from '../support/replicas.ts'

/** As docs/operations.md tells operators to do it: PostgreSQL's own tools, and a Redis that knows nothing. */
replicaSuite('a database restored from its backup', function () {
  this.timeout(60_000)
  let home: string
  let earlier: Replicas
  let restored: TestDatabase
  let later: Replicas
  beforeEach(async () => {
    home = mkdtempSync(join(tmpdir(), 'latchkey-backup-'))
    earlier = await openReplicas()
    restored = await createEmptyDatabase()
    later = await openReplicas({ databaseUrl: restored.url })
  })
  afterEach(async () => {
    await later.close()
    await earlier.close()
    await restored.drop()
    rmSync(home, { recursive: true })
  })
  after(() => dropTemplate())

  it('is served while the backup is made, and honours afterwards what was granted and revoked before it', async () => {
    const old = await earlier.start()
    await setUp(old)
    const [kept, revoked] = [await old.login({ label: 'kept' }), await old.login({ label: 'revoked' })]
    await old.delete(`${API}/account/sessions/self`, { token: revoked.token })
    const waiting = await old.startFlow()

    const file = join(home, 'latchkey.dump')
    execFileSync(postgresCommand('pg_dump'), ['--format=custom', `--file=${file}`, earlier.databaseUrl])
    const late = await old.login({ label: 'after the backup' })
    await old.stop()
    const options = ['--exit-on-error', '--no-owner', `--dbname=${restored.url}`]
    execFileSync(postgresCommand('pg_restore'), [...options, file])

    const again = await later.start()
    const sessions = await again.get(`${API}/account/sessions`, { token: kept.token })
    expect(sessions.status).to.equal(200)
    expect(sessions.json.data.map(({ device_label: label }: { device_label: string }) => label)).to.deep.equal(['kept'])
    for (const { token } of [revoked, late]) {
      expect((await again.get(`${API}/account`, { token })).status).to.equal(401)
    }
    const poll = { client_id: 'difyctl', device_code: waiting.deviceCode }
    const lost = await again.post(`${API}/oauth/device/token`, { json: poll })
    expect([lost.status, lost.json.error]).to.deep.equal([400, 'expired_token'])
    // The account is whole: its password signs it in, and the flow can be begun again.
    expect((await again.login({ label: 'new' })).token).to.be.a('string')
  })
})
