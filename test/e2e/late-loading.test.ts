import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect } from 'chai'
import { CHILD_ENV } from '../support/child-env.ts'

const MAIN = join(import.meta.dirname, '../../src/main.ts')
const TELLER = join(import.meta.dirname, '../support/loaded-packages.ts')

describe('a start loads what it needs', function () {
  this.timeout(60_000)
  let home: string
  before(() => {
    home = mkdtempSync(join(tmpdir(), 'latchkey-late-'))
  })
  after(() => rmSync(home, { recursive: true }))

  function start(...words: string[]) {
    const env = { ...CHILD_ENV, PORT: '0', DATA_DIR: join(home, 'data') }
    return spawn(process.execPath, ['--import', TELLER, MAIN, ...words], { cwd: home, env })
  }

  async function loadedBy(child: ReturnType<typeof start>): Promise<readonly string[]> {
    const [, list] = /^loaded (.*)$/m.exec(await text(child.stderr)) ?? []
    return JSON.parse(list ?? 'null')
  }

  it('a mistyped command loads neither a database nor a server', async () => {
    const packages = await loadedBy(start('account', 'lsit'))
    expect(packages).to.include('valibot')
    expect(['koa', '@mikro-orm/core'].filter((name) => packages.includes(name))).to.deep.equal([])
  })

  it('a server loads nothing that is not configured, and a command beside it no database', async () => {
    const server = start('serve')
    const served = loadedBy(server)
    for await (const said of server.stdout.iterator({ destroyOnReturn: false }))
      if (String(said).includes('serves at')) break
    const beside = start('audit', '--since', '1h')
    expect(await loadedBy(beside))
      .to.include('valibot')
      .and.not.include('@mikro-orm/core')
    if (beside.exitCode === null) await once(beside, 'exit')
    expect(beside.exitCode).to.equal(0)
    server.kill('SIGTERM')
    const packages = await served
    expect(packages).to.include.members(['koa', '@mikro-orm/core', '@electric-sql/pglite'])
    const unwanted = ['ioredis', 'openai', 'openid-client', 'prom-client', 'undici', 'yaml']
    expect(unwanted.filter((name) => packages.includes(name))).to.deep.equal([])
  })
})
