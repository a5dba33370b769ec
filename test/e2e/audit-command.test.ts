import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { type Orm, openPglite, openPostgres } from '#adapters/postgres/open-orm.ts'
import { openStores } from '#adapters/postgres/opening.ts'
import { CHILD_ENV } from '../support/child-env.ts'
import { createDatabase, dropTemplate, type TestDatabase } from '../support/databases.ts'
import { services } from '../support/services.ts'

const MAIN = join(import.meta.dirname, '../../src/main.ts')

type Where = {
  env(): Promise<Readonly<Record<string, string>>>
  openOrm(dataDir: string): Promise<Orm>
  close(): Promise<void>
}
type Ended = { readonly status: number | null; readonly stdout: string; readonly stderr: string }

function latchkeyIn(home: string, env: Readonly<Record<string, string>>, words: readonly string[]): Ended {
  return spawnSync(process.execPath, [MAIN, ...words], {
    cwd: home,
    env: { ...CHILD_ENV, DATA_DIR: join(home, 'data'), ...env },
    encoding: 'utf8',
    timeout: 30_000,
  })
}

/** `latchkey audit` as an operator types it, on the database that `env` names. */
function auditCommandSuite(name: string, place: Where): void {
  describe(`latchkey audit: ${name}`, function () {
    this.timeout(60_000)
    let home: string
    let env: Readonly<Record<string, string>>
    before(async () => {
      home = mkdtempSync(join(tmpdir(), 'latchkey-audit-'))
      env = await place.env()
    })
    after(async () => {
      await place.close()
      rmSync(home, { recursive: true, force: true })
    })

    const latchkey = (words: readonly string[]) => latchkeyIn(home, env, words)

    it('an empty log is nothing and exit 0; what happened is told oldest first, of one event, and as JSON', async () => {
      const empty = { status: 0, stdout: '' }
      expect(latchkey(['audit', '--since', '7d'])).to.deep.include({ ...empty, stderr: 'no events\n' })
      expect(latchkey(['audit', '--since', '7d', '--json'])).to.deep.include({ ...empty, stderr: '' })
      const orm = await place.openOrm(join(home, 'data'))
      const { audit } = openStores(orm)
      const at = Date.now()
      await audit.append({ event: 'oauth.token_expired', facts: { tokenId: 'old' } }, at - 8 * 86_400_000)
      await audit.append({ event: 'oauth.token_expired', facts: { tokenId: 'first' } }, at - 2000)
      await audit.append({ event: 'console.login', facts: { accountId: 'a', ip: '203.0.113.1' } }, at - 1000)
      await orm.close()

      const all = latchkey(['audit', '--since', '7d'])
      const stamp = (ago: number) => new Date(at - ago).toISOString()
      expect(all).to.deep.include({
        status: 0,
        stderr: '',
        stdout: [
          `${stamp(2000)}  oauth.token_expired  {"token_id":"first"}`,
          `${stamp(1000)}  console.login  {"ip":"203.0.113.1","account_id":"a"}`,
          '',
        ].join('\n'),
      })
      const one = latchkey(['audit', '--since', '7d', '--event', 'oauth.token_expired', '--json'])
      expect(
        one.stdout
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line)),
      ).to.deep.equal([{ at: stamp(2000), event: 'oauth.token_expired', token_id: 'first' }])
    })
  })
}

describe('latchkey audit with wrong words', function () {
  this.timeout(30_000)

  for (const [what, words, wanted] of [
    ['no --since', ['audit'], /--since/],
    ['a --since that is none', ['audit', '--since', 'yesterday'], /--since/],
    ['a --since without a zone', ['audit', '--since', '2026-01-30T08:00'], /--since/],
    [
      'an event that there is not',
      ['audit', '--since', '1h', '--event', 'console.logni'],
      /--event must be one of.*console\.login/,
    ],
    ['an option that there is not', ['audit', '--since', '1h', '--evnt', 'console.login'], /evnt/],
    ['a word too many', ['audit', 'everything', '--since', '1h'], /audit takes no words; left over: everything/],
  ] as const) {
    it(`${what} is a usage fault with exit 2, and nothing on standard output`, () => {
      const { status, stdout, stderr } = latchkeyIn(tmpdir(), {}, words)
      expect([status, stdout]).to.deep.equal([2, ''])
      expect(stderr.split('\n')[0]).to.match(wanted)
    })
  }
})

auditCommandSuite('the embedded database', {
  // What a server would warn of at its start must not stand between the lines of a command.
  env: async () => ({ OAUTH_TTL_DAYS: 'x', CONSOLE_WEB_URL: 'http://web.example' }),
  openOrm: (dataDir) => openPglite({ dataDir, socketPath: null }),
  close: async () => {},
})

let database: TestDatabase | null = null
;(services.postgres === null ? describe.skip : describe)('with PostgreSQL', () => {
  auditCommandSuite('PostgreSQL', {
    async env() {
      database = await createDatabase()
      return { DATABASE_URL: database.url, SECRET_KEY: 'k'.repeat(32) }
    },
    openOrm: () => openPostgres({ url: database?.url ?? '' }),
    async close() {
      await database?.drop()
      await dropTemplate()
    },
  })
})
