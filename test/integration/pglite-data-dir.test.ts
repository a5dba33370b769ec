import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { DataDirLocked, lockDataDir } from '#adapters/postgres/data-lock.ts'
import { migrate, openPglite } from '#adapters/postgres/open-orm.ts'
import { openStores } from '#adapters/postgres/opening.ts'
import { aToken } from '../support/builders.ts'

const LOCK = `latchkey-${randomUUID()}.lock`

/** The lock of whoever holds the directory. */
async function lockFiles(dataDir: string): Promise<string[]> {
  return (await readdir(dataDir)).filter((file) => file.endsWith('.lock'))
}

describe('the data directory of the embedded database', function () {
  this.timeout(60_000)
  let dataDir: string
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'latchkey-data-'))
  })
  afterEach(() => rm(dataDir, { recursive: true, force: true }))

  const refusal = async (work: Promise<unknown>): Promise<unknown> => {
    try {
      return await work
    } catch (error) {
      return error
    }
  }

  it('keeps rows over a restart, and is free again after closing', async () => {
    const token = aToken()
    const first = await openPglite({ dataDir })
    await migrate(first)
    await openStores(first).tokens.mint(token)
    await first.close()
    const second = await openPglite({ dataDir })
    await migrate(second)
    expect((await openStores(second).tokens.findByHash(token.tokenHash))?.id).to.equal(token.id)
    await second.close()
  })

  // Digests, sealed keys and what people asked lie in there, and DATA_DIR may be a folder that somebody else made.
  it('security: nobody else on the machine reads the database, whoever made the folder around it', async () => {
    await chmod(dataDir, 0o755)
    const modeOf = async () => (await stat(join(dataDir, 'pgdata'))).mode & 0o777
    await (await openPglite({ dataDir })).close()
    expect(await modeOf()).to.equal(0o700)
    // As one who let a group read it for backups, and one whose database is older than this.
    for (const [was, becomes] of [
      [0o750, 0o750],
      [0o755, 0o750],
    ] as const) {
      await chmod(join(dataDir, 'pgdata'), was)
      await (await openPglite({ dataDir })).close()
      expect(await modeOf()).to.equal(becomes)
    }
  })

  // Two openers would both seem to work, and one would lose rows.
  it('a second opener is told who holds the directory and where to ask', async () => {
    const lock = await lockDataDir(dataDir, '/run/latchkey.sock')
    const error = await refusal(openPglite({ dataDir }))
    expect(error).to.be.instanceOf(DataDirLocked).and.include({ pid: process.pid, socketPath: '/run/latchkey.sock' })
    expect(String(error)).to.not.contain('\n')
    await lock.release()
  })

  it('of twenty concurrent openers one gets the directory', async () => {
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => lockDataDir(dataDir, null)))
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).to.have.length(1)
    expect(await lockFiles(dataDir)).to.have.length(1)
  })

  it('of twenty concurrent openers one takes over what a dead process left', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, ['-e', 'console.log(process.pid)'])
    await writeFile(join(dataDir, LOCK), JSON.stringify({ pid: Number(stdout), startToken: 'gone', socketPath: null }))
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => lockDataDir(dataDir, null)))
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).to.have.length(1)
    expect(await lockFiles(dataDir)).to.have.length(1)
  })

  it('a pid that was given to another process since does not hold the directory', async function () {
    if (process.platform !== 'linux') this.skip()
    await writeFile(join(dataDir, LOCK), JSON.stringify({ pid: process.pid, startToken: 'before', socketPath: null }))
    const lock = await lockDataDir(dataDir, null)
    await lock.release()
  })

  it('an unreadable lock file does not lock people out', async () => {
    for (const rubbish of ['', '{', '[]', '{"pid":-1,"startToken":""}']) {
      await writeFile(join(dataDir, LOCK), rubbish)
      const lock = await lockDataDir(dataDir, null)
      await lock.release()
    }
  })

  it('only the owner can read the lock, which names the admin socket', async () => {
    const lock = await lockDataDir(dataDir, '/run/latchkey.sock')
    const [file] = await lockFiles(dataDir)
    const path = join(dataDir, file ?? '')
    expect((await stat(path)).mode & 0o777).to.equal(0o600)
    expect(JSON.parse(await readFile(path, 'utf8'))).to.include({ socketPath: '/run/latchkey.sock' })
    await lock.release()
    expect(await readdir(dataDir)).to.deep.equal([])
  })
})
