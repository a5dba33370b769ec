import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import type { Finding } from '#src/doctor/finding.ts'
import { examine } from '#src/doctor.ts'
import { openApiDouble } from '../support/api-double.ts'
import { createEmptyDatabase, dropTemplate } from '../support/databases.ts'
import { openHeaderProxy, overwrites } from '../support/header-proxy.ts'
import { freePort } from '../support/own-services.ts'
import { openReplicas, type Replicas, replicaSuite, setUp } from '../support/replicas.ts'

const SECRET = 'not-to-be-printed'

const told = (findings: readonly Finding[]) => findings.map(({ check, status }) => `${check}: ${status}`)

replicaSuite('latchkey doctor beside an installation', function () {
  this.timeout(60_000)
  let home: string
  let replicas: Replicas
  let env: Record<string, string>
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'latchkey-doctor-'))
    replicas = await openReplicas()
    env = {
      DATA_DIR: join(home, 'data'),
      DATABASE_URL: replicas.databaseUrl,
      REDIS_URL: replicas.redisUrl,
      SECRET_KEY: 'r'.repeat(32),
    }
  })
  afterEach(async () => {
    await replicas.close()
    await rm(home, { recursive: true })
  })
  after(() => dropTemplate())

  it('finds nothing to mend at a server that is whole, and leaves no file behind', async () => {
    const port = String(await freePort())
    const origins = { CONSOLE_API_URL: `http://127.0.0.1:${port}`, CONSOLE_WEB_URL: `http://127.0.0.1:${port}` }
    // Nothing stands in front here, so nobody is to be believed.
    await replicas.start({ PORT: port, ...origins, TRUSTED_PROXIES: '' })
    const found = await examine({ ...env, ...origins })
    // That replicas have to share their uploads is said of every configuration without a bucket.
    const toMend = found.filter(({ check, status }) => status !== 'ok' && check !== 'configuration')
    expect(toMend).to.deep.equal([])
    const looks = ['database', 'migrations', 'database clock', 'redis', 'redis clock', 'CONSOLE_API_URL', 'bindings']
    looks.push(`proxy ${origins.CONSOLE_API_URL}`)
    expect(told(found)).to.include.members(looks.map((check) => `${check}: ok`))
    expect(told(found)).to.include.members(['sandbox javascript: ok', 'sandbox python: ok'])
    expect(await rm(join(home, 'data')).catch((error: NodeJS.ErrnoException) => error.code)).to.equal('ENOENT')
  })

  it('judges each public origin by what a running server saw through it', async () => {
    const port = String(await freePort())
    const good = await openHeaderProxy(`http://127.0.0.1:${port}`, { there: overwrites })
    const careless = await openHeaderProxy(`http://127.0.0.1:${port}`, {})
    try {
      const origins = { CONSOLE_API_URL: good.url, CONSOLE_WEB_URL: careless.url }
      await replicas.start({ PORT: port, ...origins })
      for (let look = 0; look < 2; look++) {
        const found = await examine({ ...env, ...origins })
        expect(told(found)).to.include.members([`proxy ${good.url}: ok`, `proxy ${careless.url}: fail`])
      }
      const foreign = await examine({ ...env, ...origins, SECRET_KEY: 's'.repeat(32) })
      expect(told(foreign)).to.include.members([`proxy ${good.url}: fail`, `proxy ${careless.url}: fail`])
      expect(JSON.stringify(foreign))
        .to.contain('another SECRET_KEY')
        .and.to.not.match(/r{32}|s{32}/)
    } finally {
      await good.close()
      await careless.close()
    }
  })

  it('fails stores that are down, looks at everything else, and prints no password', async () => {
    const found = await examine({
      ...env,
      DATABASE_URL: `postgres://someone:${SECRET}@127.0.0.1:1/none`,
      REDIS_URL: `redis://:${SECRET}@127.0.0.1:1`,
    })
    expect(told(found)).to.include.members(['database: fail', 'redis: fail', 'disk: ok', 'sandbox python: ok'])
    expect(JSON.stringify(found)).to.not.contain(SECRET)
  })

  it('fails a login that Redis refuses and a server that is no cluster', async () => {
    const { host } = new URL(replicas.redisUrl)
    const wrong = await examine({ ...env, REDIS_URL: `redis://nobody:${SECRET}@${host}` })
    expect(wrong.find(({ check }) => check === 'redis')).to.deep.include({ status: 'fail', what: 'refuses: WRONGPASS' })
    expect(JSON.stringify(wrong)).to.not.contain(SECRET)
    const cluster = await examine({ ...env, REDIS_URL: `redis+cluster://${host}` })
    expect(told(cluster)).to.include('redis: fail')
  })

  it('tells a database without tables, and makes none', async () => {
    const empty = await createEmptyDatabase()
    try {
      for (let look = 0; look < 2; look++) {
        expect(told(await examine({ ...env, DATABASE_URL: empty.url }))).to.include('migrations: warn')
      }
    } finally {
      await empty.drop()
    }
  })

  it('asks the endpoints that workspaces bound, by the way that runs take and with the keys that are kept', async () => {
    const endpoint = await openApiDouble()
    try {
      await setUp(await replicas.start())
      const words = ['binding', 'set', 'model', 'openai', '--url', `${endpoint.url}/v1`, '--key-stdin']
      expect(await replicas.command(words, SECRET)).to.equal(0)
      const look = async (more: Record<string, string>) =>
        (await examine({ ...env, ...more })).filter(({ check }) => check.startsWith('model openai'))

      expect(await look({})).to.have.nested.property('[0].status', 'fail')
      expect(endpoint.heard).to.deep.equal([])

      const open = { EGRESS_ALLOW_CIDRS: '127.0.0.0/8' }
      endpoint.on('GET /v1/models', { status: 401, json: {} }, { json: { data: [{ id: 'm' }] } })
      const refused = await look(open)
      expect(refused).to.have.nested.property('[0].what', 'refuses the key (status 401)')
      expect(JSON.stringify(refused)).to.not.contain(SECRET)
      expect(await look(open)).to.have.nested.property('[0].status', 'ok')
      expect(endpoint.heard[0]?.authorization).to.equal(`Bearer ${SECRET}`)

      const lost = await look({ ...open, SECRET_KEY: 's'.repeat(32) })
      expect(lost).to.have.nested.property('[0].what').that.contains('SECRET_KEY that is gone')
    } finally {
      await endpoint.close()
    }
  })
})
