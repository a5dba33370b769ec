import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect } from 'chai'

const ROOT = join(import.meta.dirname, '..')
const BIOME = join(ROOT, 'node_modules/.bin/biome')

type Report = { readonly diagnostics: readonly { readonly category: string; readonly location: { path: unknown } }[] }

/** A tree of planted files that has our rules and nothing else of ours: a crash leaves nothing in `src`. */
class Garden {
  readonly folder = mkdtempSync(join(tmpdir(), 'latchkey-fence-'))
  private count = 0

  constructor() {
    const rules = JSON.parse(readFileSync(join(ROOT, 'biome.json'), 'utf8'))
    writeFileSync(join(this.folder, 'biome.json'), JSON.stringify({ ...rules, vcs: { enabled: false } }))
    writeFileSync(join(this.folder, 'package.json'), readFileSync(join(ROOT, 'package.json')))
  }

  plant(folder: string, source: string, name?: string): string {
    this.count += 1
    const path = join(folder, name ?? `planted-${this.count}.ts`)
    mkdirSync(join(this.folder, dirname(path)), { recursive: true })
    writeFileSync(join(this.folder, path), `${source}\n`)
    return path
  }

  /** The planted files that break `rule`. */
  reported(rule: string): ReadonlySet<string> {
    const args = ['lint', '--reporter=json', '--max-diagnostics=none', '.']
    const { stdout } = spawnSync(BIOME, args, { cwd: this.folder, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
    const { diagnostics } = JSON.parse(stdout) as Report
    const hits = diagnostics.filter(({ category }) => category === `lint/${rule}`)
    return new Set(hits.map(({ location }) => String(location.path).replace(/^\.\//, '')))
  }
}

const foldersIn = (path: string): string[] =>
  readdirSync(join(ROOT, path), { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? entry.name : []))

const ADAPTERS = foldersIn('src/adapters')
const PACKAGES = Object.keys(JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).dependencies)
const SOME_BUILTIN = 'node:fs'

/** What each adapter is for; a package in no list is imported by no adapter. */
const OWN_PACKAGES: Readonly<Record<string, readonly string[]>> = {
  admin: ['yaml'],
  enterprise: ['undici', 'valibot'],
  files: ['s3mini'],
  geoip: ['mmdb-lib'],
  http: ['koa', '@koa/router', '@koa/cors', 'valibot'],
  jose: ['jose'],
  oidc: ['openid-client', 'jose', 'undici', 'valibot'],
  postgres: ['@mikro-orm/sql', '@mikro-orm/postgresql', '@electric-sql/pglite'],
  redis: ['ioredis'],
  'runner-native': ['openai', 'yaml', 'quickjs-emscripten', 'undici', 'jsonrepair', 'pyodide'],
  telemetry: ['pino'],
}
const KOA = PACKAGES.filter((name) => /^@?koa/.test(name))

type Place = { readonly folder: string; readonly allowed: readonly string[]; readonly forbidden: readonly string[] }

function adapterPlaces(name: string): Place[] {
  const others = ADAPTERS.filter((other) => other !== name)
  const own = OWN_PACKAGES[name] ?? []
  const strangers = Object.entries(OWN_PACKAGES).flatMap(([, packages]) => packages.filter((one) => !own.includes(one)))
  const forbidden = [...strangers.filter((one) => one !== 'valibot'), 'left-pad', '#src/server.ts', '#adapters/x.ts']
  const allowed = [
    ...own,
    './a.ts',
    '#domain/a.ts',
    '#application/ports/a.ts',
    '#application/use-cases.ts',
    SOME_BUILTIN,
  ]
  const top: Place = {
    folder: `src/adapters/${name}`,
    allowed,
    forbidden: [
      ...forbidden,
      ...others.flatMap((other) => [`#adapters/${other}/a.ts`, `../${other}/a.ts`, `./../${other}/a.ts`]),
      '../../main.ts',
      '../../config.ts',
      '../../domain/a.ts',
    ],
  }
  const inner = foldersIn(`src/adapters/${name}`).map((sub) => ({
    folder: `src/adapters/${name}/${sub}`,
    allowed: [...allowed, '../a.ts', `../${sub}/a.ts`],
    forbidden: [
      ...forbidden,
      ...others.flatMap((other) => [`#adapters/${other}/a.ts`, `../../${other}/a.ts`]),
      '../../../config.ts',
    ],
  }))
  return [top, ...inner]
}

const everyAdapter = ADAPTERS.map((name) => `#adapters/${name}/a.ts`)
const PLACES: readonly Place[] = [
  {
    folder: 'src/domain',
    allowed: ['./a.ts'],
    forbidden: [
      ...everyAdapter,
      ...PACKAGES,
      SOME_BUILTIN,
      'fs',
      '#application/ports/a.ts',
      '#src/config.ts',
      '../application/ports/a.ts',
      './../application/ports/a.ts',
    ],
  },
  ...['', '/auth', '/ports', '/use-cases'].map((sub) => ({
    folder: `src/application${sub}`,
    allowed: ['./a.ts', '#domain/a.ts', ...(sub === '' ? ['./ports/a.ts'] : ['../ports/a.ts', '../use-cases.ts'])],
    forbidden: [
      ...everyAdapter,
      ...PACKAGES,
      SOME_BUILTIN,
      '#src/config.ts',
      `${sub === '' ? '..' : '../..'}/adapters/http/a.ts`,
      `./${sub === '' ? '..' : '../..'}/adapters/http/a.ts`,
      `${sub === '' ? '..' : '../..'}/config.ts`,
    ],
  })),
  ...ADAPTERS.flatMap(adapterPlaces),
  {
    folder: 'client',
    allowed: ['./schema.d.ts'],
    forbidden: [...PACKAGES, SOME_BUILTIN, '#domain/a.ts', '../src/version.ts', './a.ts'],
  },
  {
    folder: 'migrations',
    allowed: ['@mikro-orm/migrations'],
    forbidden: ['../src/adapters/postgres/a.ts', '#domain/a.ts'],
  },
]

describe('the fence between the rooms', () => {
  let garden: Garden
  beforeEach(() => {
    garden = new Garden()
  })
  afterEach(() => rmSync(garden.folder, { recursive: true }))

  it('reports every import that leaves its room, and none that stays', () => {
    const wanted = new Map<string, string>()
    const welcome = new Map<string, string>()
    for (const { folder, allowed, forbidden } of PLACES) {
      for (const from of forbidden) wanted.set(garden.plant(folder, `import '${from}'`), `${folder} <- ${from}`)
      for (const from of allowed) welcome.set(garden.plant(folder, `import '${from}'`), `${folder} <- ${from}`)
    }
    const reported = garden.reported('style/noRestrictedImports')
    expect(
      [...wanted].flatMap(([path, what]) => (reported.has(path) ? [] : what)),
      'let through',
    ).to.deep.equal([])
    expect(
      [...welcome].flatMap(([path, what]) => (reported.has(path) ? what : [])),
      'refused',
    ).to.deep.equal([])
  })

  it('knows every way to import', () => {
    const ways = [
      `import type { A } from 'koa'\nexport type B = A`,
      `export { a } from 'koa'`,
      `export const a = await import('koa')`,
      `import * as koa from 'koa'\nexport const a = koa`,
    ]
    const planted = ways.map((source) => garden.plant('src/domain', source))
    expect([...garden.reported('style/noRestrictedImports')].toSorted()).to.deep.equal(planted.toSorted())
  })

  it('keeps Koa in the room of HTTP', () => {
    const planted = ADAPTERS.filter((name) => name !== 'http').flatMap((name) =>
      KOA.map((from) => garden.plant(`src/adapters/${name}`, `import '${from}'`)),
    )
    const own = KOA.map((from) => garden.plant('src/adapters/http/routes', `import '${from}'`))
    const reported = garden.reported('style/noRestrictedImports')
    expect(planted.filter((path) => !reported.has(path))).to.deep.equal([])
    expect(own.filter((path) => reported.has(path))).to.deep.equal([])
  })

  it('keeps clocks, randomness, timers and the environment out of the domain', () => {
    const uses = [
      'new Date()',
      'Date.now()',
      'process.env',
      `fetch('')`,
      'setTimeout(() => {}, 1)',
      'setInterval(() => {}, 1)',
    ]
    const sources = [...uses, 'crypto.randomUUID()', 'globalThis.Date', `require('koa')`, 'performance.now()']
    const planted = sources.map((use) => garden.plant('src/domain', `export const a = ${use}`))
    const harmless = garden.plant('src/domain', 'export const a = Math.min(1, Number.MAX_SAFE_INTEGER)')
    const reported = garden.reported('style/noRestrictedGlobals')
    expect(planted.filter((path) => !reported.has(path))).to.deep.equal([])
    expect(reported.has(harmless)).to.equal(false)
  })

  it('reports import cycles', () => {
    garden.plant('src/domain', `import { b } from './b.ts'\nexport const a = () => b`, 'a.ts')
    garden.plant('src/domain', `import { a } from './a.ts'\nexport const b = () => a`, 'b.ts')
    expect([...garden.reported('suspicious/noImportCycles')].toSorted()).to.deep.equal([
      'src/domain/a.ts',
      'src/domain/b.ts',
    ])
  })

  it('reports import cycles that go through another room', () => {
    garden.plant('src/application', `import { b } from '#domain/b.ts'\nexport const a = () => b`, 'a.ts')
    garden.plant('src/domain', `import { a } from '#application/a.ts'\nexport const b = () => a`, 'b.ts')
    expect(garden.reported('suspicious/noImportCycles').size).to.equal(2)
  })

  it('reports barrels, default exports and reading the environment outside the composition root', () => {
    const barrel = garden.plant('src/application/ports', `export * from './a.ts'\nexport * from './b.ts'`)
    const byDefault = garden.plant('src/application/ports', 'export default 1')
    const environment = garden.plant('src/adapters/redis', 'export const a = process.env.REDIS_URL')
    const main = garden.plant('src', 'export const a = process.env', 'main.ts')
    expect([...garden.reported('performance/noBarrelFile')]).to.deep.equal([barrel])
    expect([...garden.reported('style/noDefaultExport')]).to.deep.equal([byDefault])
    const readers = garden.reported('style/noProcessEnv')
    expect([readers.has(environment), readers.has(main)]).to.deep.equal([true, false])
  })
})
