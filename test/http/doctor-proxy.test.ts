import { expect } from 'chai'
import { checkProxy } from '#src/doctor/check-proxy.ts'
import { openApiDouble } from '../support/api-double.ts'
import { appends, type HeaderProxy, type Manner, openHeaderProxy, overwrites, PERSON } from '../support/header-proxy.ts'
import { aWorld, type World } from '../support/world.ts'

const VERSION = '0.0.0-test'
const OURS = [{ kid: 'test', key: 'k'.repeat(32) }]
const OTHERS = [{ kid: 'test', key: 'o'.repeat(32) }]

describe('latchkey doctor through what stands in front', () => {
  let world: World
  let proxies: HeaderProxy[]
  beforeEach(async () => {
    proxies = []
    world = await aWorld({ trustedProxies: ['127.0.0.1/32'] })
  })
  afterEach(async () => {
    for (const proxy of proxies) await proxy.close()
    await world.close()
  })

  const through = async (manner: Manner, target = world.url) => {
    const proxy = await openHeaderProxy(target, manner)
    proxies.push(proxy)
    return proxy.url
  }
  const look = async (consoleApiUrl: string, keys = OURS, version = VERSION) =>
    (await checkProxy({ consoleApiUrl, consoleWebUrl: consoleApiUrl }, keys, version, world.clock.now)).map(
      ({ check, status, what }) => {
        expect(check).to.equal(`proxy ${consoleApiUrl}`)
        return `${status} ${what}`
      },
    )
  const expectOne = (found: readonly string[], line: RegExp) => {
    expect(found).to.have.length(1)
    expect(found[0]).to.match(line)
  }

  it('passes one that overwrites, and one that appends', async () => {
    const passed = new RegExp(`^ok seen from ${PERSON.replaceAll('.', '\\.')}, through one proxy.* not believed$`)
    expectOne(await look(await through({ there: overwrites })), passed)
    expectOne(await look(await through({ there: appends })), passed)
  })

  it('fails one that passes X-Forwarded-For on unchanged, whether it sets the header else or not', async () => {
    const believed = /^fail a forged X-Forwarded-For arrives unchanged and is believed/
    expectOne(await look(await through({})), believed)
    const keeps: Manner = { there: (headers) => ({ 'x-forwarded-for': PERSON, ...headers }) }
    expectOne(await look(await through(keeps)), believed)
  })

  it('fails one that takes X-Forwarded-For out and passes Forwarded on', async () => {
    const there: Manner['there'] = ({ 'x-forwarded-for': _, ...headers }) => headers
    expectOne(await look(await through({ there })), /^fail a forged Forwarded arrives unchanged/)
  })

  it('warns where this machine itself is among the trusted', async () => {
    const there: Manner['there'] = (headers) => appends(headers, '127.0.0.1')
    expectOne(
      await look(await through({ there })),
      /^warn TRUSTED_PROXIES holds 127\.0\.0\.1, from where this was asked/,
    )
  })

  it('fails an outer one that is not trusted', async () => {
    const inner = await through({ there: (headers) => appends(headers, '192.0.2.80') })
    expectOne(await look(await through({ there: appends }, inner)), /^fail the outer proxy at 192\.0\.2\.80 is not in/)
  })

  it('fails one that is not in TRUSTED_PROXIES, and passes a server with nothing in front', async () => {
    const doubting = await aWorld()
    try {
      const behind = await look(await through({ there: appends }, doubting.url))
      expectOne(behind, /^fail the proxy at 127\.0\.0\.1 is not in TRUSTED_PROXIES/)
      expectOne(await look(doubting.url), /^ok seen from 127\.0\.0\.1, with nothing in front/)
    } finally {
      await doubting.close()
    }
  })

  it('warns when headers of an answer are taken out on the way', async () => {
    const back: Manner['back'] = ({ 'cache-control': _, 'content-security-policy': __, ...headers }) => headers
    const found = await look(await through({ there: overwrites, back }))
    expect(found).to.have.length(2)
    expect(found[0]).to.match(/^warn Cache-Control: no-store does not arrive/)
    expect(found[1]).to.equal('warn answers arrive without Content-Security-Policy')
  })

  it('passes one that refuses what is forged', async () => {
    const refuses: Manner['refuses'] = ({ forwarded }) => forwarded !== undefined
    expectOne(await look(await through({ refuses, there: overwrites })), /^ok .* a forged address is not let through$/)
  })

  // Whoever stands behind the public name by mistake, or on purpose, must not be taken for ours.
  it('fails a server of another installation, and believes no answer that it did not sign', async () => {
    expectOne(await look(world.url, OTHERS), /^fail a server with another SECRET_KEY answers there/)
    const other = await openApiDouble()
    try {
      expectOne(await look(other.url), /^fail what answers there is not this installation \(status 404\)/)
      const seen = JSON.stringify({ peer: '10.0.0.1', isPeerTrusted: true, client: '10.0.0.1', hops: 0 })
      other.on('GET /_seen', (heard) => ({
        json: { seen, mac: heard.query.get('challenge')?.split('.')[2] ?? '' },
      }))
      expectOne(await look(other.url), /^fail what answers there is not this installation \(status 200\)/)
      other.on('GET /_seen', { status: 302, headers: { Location: world.url } })
      expectOne(await look(other.url), /^fail what answers there is not this installation \(status 302\)/)
      other.on('GET /_seen', { json: 'x'.repeat(100) })
      expectOne(await look(other.url), /^fail what answers there/)
    } finally {
      await other.close()
    }
  })

  it('believes no answer that was changed on the way', async () => {
    const other = await openApiDouble()
    try {
      other.on('GET /_seen', (heard) => {
        const opened = world.ports.challenges.open(heard.query.get('challenge') ?? '', world.clock.now())
        return { json: { seen: '{"hops":1}', mac: opened?.sign('{"hops":2}') } }
      })
      expectOne(await look(other.url), /^fail what answers there is not this installation/)
    } finally {
      await other.close()
    }
  })

  it('says that it could not judge, and fails nothing, where versions differ or nobody answers', async () => {
    expectOne(await look(world.url, OTHERS, '9.9.9'), /^warn not judged: a server of another version answers there$/)
    expectOne(await look('http://127.0.0.1:1'), /^warn not judged: cannot be reached: /)
    expectOne(await look(await through({}, 'http://127.0.0.1:1')), /^warn not judged: status 502$/)
  })

  it('asks each origin once, and none without a key', async () => {
    const heard: string[] = []
    const url = await through({
      there: (headers) => {
        heard.push(headers.host ?? '')
        return overwrites(headers)
      },
    })
    await look(url)
    expect(heard).to.have.length(2)
    const nobody = { consoleApiUrl: null, consoleWebUrl: null }
    expect(await checkProxy(nobody, OURS, VERSION, world.clock.now)).to.deep.equal([])
    const unstarted = await checkProxy({ ...nobody, consoleWebUrl: url }, [], VERSION, world.clock.now)
    expect(unstarted.map(({ status }) => status)).to.deep.equal(['warn'])
    expect(heard).to.have.length(2)
  })
})
