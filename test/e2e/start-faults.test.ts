import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { CHILD_ENV } from '../support/child-env.ts'
import { services, suiteFor } from '../support/services.ts'

const MAIN = join(import.meta.dirname, '../../src/main.ts')
const KEY = 'k'.repeat(32)
const PASSWORD = 'not-to-be-printed'

describe('a start that fails', function () {
  this.timeout(30_000)
  let home: string
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'latchkey-fault-'))
  })
  afterEach(() => rmSync(home, { recursive: true }))

  /** What a start that must fail says: on standard error alone, and never the password. */
  function refusal(env: Record<string, string>, words: readonly string[] = ['serve']): string {
    const ended = spawnSync(process.execPath, [MAIN, ...words], {
      cwd: home,
      env: { ...CHILD_ENV, PORT: '0', DATA_DIR: join(home, 'data'), ...env },
      encoding: 'utf8',
      timeout: 20_000,
    })
    expect(ended.status, ended.stderr).to.be.oneOf([1, 2])
    expect(ended.stdout).to.equal('')
    expect(ended.stderr).to.not.contain(PASSWORD)
    return ended.stderr
  }

  it('names the port that is taken, and lets go of the data directory', async () => {
    const taken = createServer()
    const port = await new Promise<number>((resolve) => {
      taken.listen(0, '127.0.0.1', () => {
        const address = taken.address()
        resolve(typeof address === 'object' && address !== null ? address.port : 0)
      })
    })
    try {
      // A process that held on to its database used to stay behind for ever.
      for (const name of ['PORT', 'METRICS_PORT']) {
        expect(refusal({ [name]: String(port) }), name).to.equal(
          `latchkey: port ${port} is taken; set PORT, or METRICS_PORT if that one names it, to another\n`,
        )
      }
    } finally {
      taken.close()
    }
    expect(readdirSync(join(home, 'data')).filter((name) => name.includes('.lock'))).to.deep.equal([])
  })

  it('names a data directory that is a file', () => {
    writeFileSync(join(home, 'data'), '')
    expect(refusal({})).to.equal('latchkey: DATA_DIR is not a folder; set it to one\n')
  })

  it('names a folder that the system does not let anybody make', () => {
    expect(refusal({ DATA_DIR: '/proc/latchkey/data' })).to.match(/^latchkey: .*DATA_DIR.*\n$/)
  })

  // Half a key, as a full disk leaves it, is one that can be guessed.
  it('does not sign with a kept key that is too short', () => {
    mkdirSync(join(home, 'data'))
    writeFileSync(join(home, 'data/secret_key'), 'half')
    expect(refusal({})).to.match(/^latchkey: .*secret_key holds no usable key; remove it to get a new one\n$/)
  })

  it('names a database host that nobody knows', () => {
    const env = { SECRET_KEY: KEY, DATABASE_URL: `postgres://u:${PASSWORD}@nobody.invalid/x` }
    expect(refusal(env)).to.match(/^latchkey: the host of the database .*; check DATABASE_URL\n$/)
  })

  it('names HOST when that is the host that nobody knows, and not the database', () => {
    const at = { HOST: 'nobody.invalid', CONSOLE_WEB_URL: 'https://a.example', CONSOLE_API_URL: 'https://a.example' }
    for (const more of [{}, { METRICS_PORT: '9464' }]) {
      expect(refusal({ ...at, ...more })).to.match(/^latchkey: HOST .*an address of this machine.*\n$/)
    }
  })

  it('names a database that does not answer', () => {
    const env = { SECRET_KEY: KEY, DATABASE_URL: `postgres://u:${PASSWORD}@127.0.0.1:1/x` }
    expect(refusal(env)).to.equal('latchkey: the database does not answer; check DATABASE_URL\n')
  })

  it('refuses words after serve, so that a slip does not start a server', () => {
    expect(refusal({}, ['serve', '--port', '80'])).to.match(/^latchkey: serve takes no arguments: --port 80\n/)
  })

  it('answers a mistyped command with the one that was meant, whatever the configuration', () => {
    expect(refusal({ PORT: 'none' }, ['sevre'])).to.equal(
      'latchkey: unknown command: sevre; did you mean latchkey serve?\nlatchkey help lists the commands\n',
    )
  })

  it('asks for the id of a run to show, and not for a sign-in', () => {
    expect(refusal({}, ['run', 'show'])).to.match(
      /^latchkey: run show takes a RUN_ID.*\n\nUsage:\n\n {2}run show RUN_ID/,
    )
  })

  it('says in one line that a file to import cannot be read', () => {
    expect(refusal({}, ['app', 'import', 'absent.yml'])).to.equal(
      'latchkey: cannot read absent.yml: there is no such file\n',
    )
    expect(refusal({}, ['app', 'import', '.'])).to.equal('latchkey: cannot read .: it is a folder\n')
  })

  it('creates no account whose email is none', () => {
    const words = ['account', 'create', '--name', 'Grace', '--email', 'grace']
    expect(refusal({}, words)).to.match(/^latchkey: --email must be an email address\n/)
  })

  suiteFor('postgres')('with PostgreSQL', () => {
    const urlOf = (change: (url: URL) => void) => {
      const url = new URL(services.postgres ?? '')
      url.password = PASSWORD
      change(url)
      return url.href
    }

    // Whoever comes first would set an empty server up that nobody wanted.
    it('does not make the database that a wrong URL names', () => {
      const absent = urlOf((url) => {
        url.pathname = `/latchkey_absent_${process.pid}`
      })
      for (const words of [['serve'], ['migrate']]) {
        expect(refusal({ SECRET_KEY: KEY, DATABASE_URL: absent }, words)).to.equal(
          'latchkey: the database does not exist; create it, or check DATABASE_URL\n',
        )
      }
    })

    it('names a user that the database refuses', () => {
      const stranger = urlOf((url) => {
        url.username = `stranger_${process.pid}`
      })
      const line = refusal({ SECRET_KEY: KEY, DATABASE_URL: stranger })
      expect(line).to.match(/^latchkey: the database (?:refuses|does not know) .*; check DATABASE_URL\n$/)
    })
  })
})

describe('an operator’s command whose reader has left', function () {
  this.timeout(30_000)

  for (const words of [['help'], ['--version'], ['doctor', '--json']]) {
    it(`${words.join(' ')} ends without a word about it`, () => {
      const folder = mkdtempSync(join(tmpdir(), 'latchkey-pipe-'))
      // `true` is gone long before the first line is written.
      const line = `"$0" "$@" | true; echo "\${PIPESTATUS[0]}"`
      const ended = spawnSync('bash', ['--norc', '-c', line, process.execPath, MAIN, ...words], {
        cwd: folder,
        env: { ...CHILD_ENV, DATA_DIR: join(folder, 'data') },
        encoding: 'utf8',
      })
      rmSync(folder, { recursive: true })
      expect([ended.stdout.trim(), ended.stderr]).to.deep.equal(['0', ''])
    })
  }
})
