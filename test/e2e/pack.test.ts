import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { CHILD_ENV } from '../support/child-env.ts'
import { MODULES, packInto } from '../support/pack.ts'

const ROOT = join(import.meta.dirname, '../..')
/** Below node_modules, as an installed package is: there Node refuses to strip types. */
function packAndUnpack(home: string): string {
  const tarball = packInto(home)
  execFileSync('tar', ['-xzf', tarball], { cwd: home })
  const installed = join(home, 'project/node_modules/latchkey')
  cpSync(join(home, 'package'), installed, { recursive: true })
  for (const name of readdirSync(MODULES)) {
    if (!name.startsWith('.')) symlinkSync(join(MODULES, name), join(home, 'project/node_modules', name))
  }
  return installed
}

describe('the packed program', function () {
  this.timeout(90_000)
  let home: string
  let installed: string
  before(() => {
    home = mkdtempSync(join(tmpdir(), 'latchkey-pack-'))
    installed = packAndUnpack(home)
  })
  after(() => rmSync(home, { recursive: true }))

  const env = () => ({ ...CHILD_ENV, HOME: home, PORT: '0', DATA_DIR: join(home, 'data') })
  const latchkey = (words: readonly string[]) =>
    spawnSync(process.execPath, [join(installed, 'bin/latchkey.js'), ...words], {
      cwd: home,
      env: env(),
      encoding: 'utf8',
    })

  it('holds JavaScript, pages and examples, and neither sources nor tests', () => {
    const names = readdirSync(installed, { recursive: true }).map(String)
    expect(names).to.include.members(['dist/main.js', 'dist/package.json', 'examples/greeting-workflow.yml'])
    expect(names.filter((name) => /^(src|test|scripts)\b/.test(name) || /^dist.*\.ts$/.test(name))).to.deep.equal([])
  })

  it('says its version and explains itself', () => {
    const manifest: { version: string } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
    expect(latchkey(['--version']).stdout.trim()).to.equal(manifest.version)
    expect(latchkey(['login', '--help'])).to.include({ status: 0, stderr: '' })
    expect(latchkey(['whoami']).status).to.equal(4)
  })

  it('offers its client to programs that import it, types included', () => {
    const project = join(home, 'project')
    const script = `const { createClient, UnexpectedAnswer } = await import('latchkey/client')
      console.log(typeof createClient({ baseUrl: 'http://127.0.0.1' }).GET, typeof UnexpectedAnswer)`
    const ran = spawnSync(process.execPath, ['--no-experimental-strip-types', '--input-type=module', '-e', script], {
      cwd: project,
      encoding: 'utf8',
    })
    expect(ran.stdout.trim(), ran.stderr).to.equal('function function')
    writeFileSync(
      join(project, 'use.mts'),
      `import { createClient } from 'latchkey/client'
      const reply = await createClient({ baseUrl: '' }).GET('/account')
      if (reply.status === 200) reply.data.subject_email satisfies string
      // @ts-expect-error types are there, and strict
      reply.data.subject_email`,
    )
    const tsc = join(MODULES, '.bin/tsc')
    const options = [
      '--noEmit',
      '--strict',
      '--target',
      'es2022',
      '--module',
      'nodenext',
      '--lib',
      'es2024,dom',
      'use.mts',
    ]
    const checked = spawnSync(tsc, options, { cwd: project, encoding: 'utf8' })
    expect([checked.status, checked.stdout]).to.deep.equal([0, ''])
  })

  // Its node_modules holds links, as pnpm's does, and the sandbox may read nothing but its interpreters.
  it('starts its sandboxes', () => {
    const module = join(installed, 'dist/src/adapters/runner-native/code/sandbox-process.js')
    const started = spawnSync(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `const { startJavaScriptChild, createPythonStarter } = await import(${JSON.stringify(module)})
        const children = [startJavaScriptChild(), createPythonStarter()()]
        console.log((await Promise.all(children.map(({ ready }) => ready))).join())
        for (const child of children) child.kill()`,
      ],
      { env: env(), encoding: 'utf8' },
    )
    expect(started.stdout.trim(), started.stderr).to.equal('true,true')
  })

  it('migrates and serves, and ends in order on SIGTERM', async () => {
    const launcher = join(installed, 'bin/latchkey.js')
    const server = spawn(process.execPath, [launcher, 'serve'], {
      cwd: home,
      env: env(),
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    try {
      const url = await said(server, /serves at (http:\S+)/)
      const reply = await fetch(`${url}/openapi/v1/_health`)
      expect(await reply.json()).to.deep.equal({ ok: true })
      expect((await fetch(`${url}/install`)).status).to.equal(200)
    } finally {
      server.kill('SIGTERM')
    }
    expect(await exitCode(server)).to.equal(0)
  })
})

function said(child: ChildProcess, pattern: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    child.stdout?.on('data', (chunk) => {
      text += chunk
      const found = pattern.exec(text)
      if (found !== null) resolve(found[1] ?? '')
    })
    child.once('exit', () => reject(new Error(`ended without saying ${pattern}: ${text}`)))
  })
}

function exitCode(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null) return Promise.resolve(child.exitCode)
  return new Promise((resolve) => child.once('exit', resolve))
}
