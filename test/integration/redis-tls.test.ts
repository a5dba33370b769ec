import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { API } from '../http/place.ts'
import { makeCertificate } from '../support/certificate.ts'
import { dropTemplate } from '../support/databases.ts'
import { onPath } from '../support/own-services.ts'
import { type Certificate, clusterSuite, startCluster, type TestCluster } from '../support/redis-cluster.ts'
import { openReplicas, type Replicas, setUp } from '../support/replicas.ts'
import { services } from '../support/services.ts'

const able = services.postgres !== null && onPath('openssl') !== null

;(able ? clusterSuite() : describe.skip)('a Redis Cluster that speaks TLS', function () {
  this.timeout(30_000)
  let folder: string
  let certificate: Certificate
  let cluster: TestCluster
  let replicas: Replicas

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'latchkey-tls-'))
    certificate = makeCertificate(folder)
    cluster = await startCluster(certificate)
    replicas = await openReplicas({ redisUrl: cluster.url })
  })
  after(async () => {
    await replicas.close()
    await cluster.close()
    rmSync(folder, { recursive: true })
    await dropTemplate()
  })

  it('rediss+cluster: a sign-in over it', async () => {
    const trusting = await replicas.start({ NODE_EXTRA_CA_CERTS: certificate.cert })
    await setUp(trusting)
    const { token } = await trusting.login()
    expect((await trusting.get(`${API}/workspaces`, { token })).status).to.equal(200)
    expect(trusting.faults).to.deep.equal([])
  })

  // Whoever stands in between with a certificate of their own must not be spoken to.
  it('rediss+cluster: a certificate that nobody vouches for is refused', async () => {
    const wary = await replicas.start()
    const reply = await wary.post(`${API}/oauth/device/code`, { json: { client_id: 'difyctl', device_label: 'x' } })
    expect(reply.status).to.equal(503)
    expect(wary.faults).to.include('redis does not answer')
  })
})
