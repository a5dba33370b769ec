import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import type { Finding } from '#src/doctor/finding.ts'
import { makeCertificate } from '../support/certificate.ts'
import { CHILD_ENV } from '../support/child-env.ts'
import { dropTemplate } from '../support/databases.ts'
import { type HeaderProxy, openHeaderProxy, overwrites } from '../support/header-proxy.ts'
import { freePort, onPath } from '../support/own-services.ts'
import { openReplicas, type Replicas, replicaSuite } from '../support/replicas.ts'

const MAIN = join(import.meta.dirname, '../../src/main.ts')

;(onPath('openssl') === null ? describe.skip : replicaSuite)('latchkey doctor where TLS ends in front', function () {
  this.timeout(60_000)
  let home: string
  let replicas: Replicas
  let proxies: HeaderProxy[]
  beforeEach(async () => {
    proxies = []
    home = await mkdtemp(join(tmpdir(), 'latchkey-doctor-'))
    replicas = await openReplicas()
  })
  afterEach(async () => {
    for (const proxy of proxies) await proxy.close()
    await replicas.close()
    await rm(home, { recursive: true })
  })
  after(() => dropTemplate())

  /** Not in this process: a certificate that vouches for itself is believed from the start, or not at all. */
  const doctor = (env: Readonly<Record<string, string>>) =>
    new Promise<readonly Finding[]>((found) =>
      execFile(process.execPath, [MAIN, 'doctor', '--json'], { cwd: home, env }, (_, stdout) =>
        found(JSON.parse(stdout).checks),
      ),
    )

  it('passes https that is said to be https, warns of http in between, and says so when the name is not proven', async () => {
    const certificate = makeCertificate(home)
    const tls = { cert: readFileSync(certificate.cert, 'utf8'), key: readFileSync(certificate.key, 'utf8') }
    const port = String(await freePort())
    const target = `http://127.0.0.1:${port}`
    const asHttps = (proto: string) => ({
      there: (headers: Parameters<typeof overwrites>[0]) => ({ ...overwrites(headers), 'x-forwarded-proto': proto }),
    })
    const good = await openHeaderProxy(target, asHttps('https'), tls)
    const halfway = await openHeaderProxy(target, asHttps('http'), tls)
    proxies.push(good, halfway)
    const origins = { CONSOLE_API_URL: good.url, CONSOLE_WEB_URL: halfway.url }
    await replicas.start({ PORT: port, ...origins })

    const env = {
      ...CHILD_ENV,
      SECRET_KEY: 'r'.repeat(32),
      TRUSTED_PROXIES: '127.0.0.1/32',
      ...origins,
    }
    const of = (found: readonly Finding[], { url }: HeaderProxy) =>
      found.filter(({ check }) => check === `proxy ${url}`).map(({ status, what }) => `${status} ${what}`)
    const trusting = await doctor({ ...env, NODE_EXTRA_CA_CERTS: certificate.cert })
    expect(of(trusting, good)).to.have.length(1)
    expect(of(trusting, good)[0]).to.match(/^ok seen from 198\.51\.100\.4, through one proxy, by https, as 127/)
    expect(of(trusting, halfway)).to.deep.equal([
      'warn X-Forwarded-Proto says http although the origin is https: a part of the way may be read',
    ])
    expect(of(await doctor(env), good)).to.deep.equal([
      'warn not judged: cannot be reached: DEPTH_ZERO_SELF_SIGNED_CERT',
    ])
  })
})
