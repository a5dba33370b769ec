import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect } from 'chai'
import { packInto } from '../support/pack.ts'

/** The oldest that is supported, and the one that this suite runs on. */
const OLDEST = '22'

describe('npm install --global', function () {
  this.timeout(120_000)
  let home: string
  let tarball: string
  before(() => {
    home = mkdtempSync(join(tmpdir(), 'latchkey-global-'))
    tarball = packInto(home)
  })
  after(() => rmSync(home, { recursive: true }))

  /** A folder for the path with `node` alone in it, of the asked major version. */
  function nodeFolder(major: string): string {
    if (major !== OLDEST) {
      const folder = join(home, `node-${major}`)
      mkdirSync(folder)
      symlinkSync(process.execPath, join(folder, 'node'))
      return folder
    }
    const runtime = `node-${process.platform}-${process.arch}`
    const prefix = join(home, 'runtime')
    execFileSync('npm', ['install', '--prefix', prefix, `${runtime}@${major}`], { stdio: 'pipe' })
    return join(prefix, 'node_modules', runtime, 'bin')
  }

  for (const major of [OLDEST, process.versions.node.split('.')[0] ?? '']) {
    it(`gives a program that serves, and a client beside it, on Node ${major}`, async () => {
      const prefix = join(home, `prefix-${major}`)
      const PATH = [nodeFolder(major), process.env.PATH].join(delimiter)
      const env = { ...process.env, PATH, npm_config_update_notifier: 'false' }
      const words = ['install', '--global', '--prefer-offline', '--omit=optional', '--prefix', prefix, tarball]
      execFileSync('npm', words, { cwd: home, env, stdio: 'pipe' })
      expect(spawnSync('node', ['--version'], { env, encoding: 'utf8' }).stdout).to.match(new RegExp(`^v${major}\\.`))

      const latchkey = join(prefix, 'bin/latchkey')
      const own = { PATH, HOME: home, PORT: '0', DATA_DIR: join(home, `data-${major}`) }
      const server = spawn(latchkey, ['serve'], { cwd: home, env: own, stdio: ['ignore', 'pipe', 'pipe'] })
      const ended = once(server, 'exit')
      const url = new Promise<string>((resolve, reject) => {
        createInterface(server.stdout).on('line', (line) => {
          const address = /^Latchkey serves at (\S+)$/.exec(line)?.[1]
          if (address !== undefined) resolve(address)
        })
        void ended.then(() => reject(new Error(String(server.stderr.read()))))
      })
      try {
        const { version } = (await (await fetch(`${await url}/openapi/v1/_version`)).json()) as { version: string }
        const run = (...words: string[]) => spawnSync(latchkey, words, { cwd: home, env: own, encoding: 'utf8' })
        expect(run('--version').stdout.trim()).to.equal(version)
        expect(run('whoami').status).to.equal(4)
        // Beside the server that holds the database; it also starts the sandbox's children out of the package.
        const doctor = run('doctor', '--json')
        expect(doctor.status, doctor.stdout).to.equal(0)
        expect(JSON.parse(doctor.stdout).status).to.equal('ok')
      } finally {
        server.kill('SIGTERM')
      }
      expect((await ended)[0]).to.equal(0)
    })
  }
})
