import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { CHILD_ENV } from '../support/child-env.ts'

const MAIN = join(import.meta.dirname, '../../src/main.ts')

describe('latchkey doctor as a command', function () {
  this.timeout(90_000)
  let home: string
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'latchkey-doctor-'))
  })
  afterEach(() => rmSync(home, { recursive: true }))

  const run = (words: readonly string[], env: Record<string, string> = {}) =>
    spawnSync(process.execPath, [MAIN, 'doctor', ...words], {
      cwd: home,
      env: { ...CHILD_ENV, ...env },
      encoding: 'utf8',
      timeout: 80_000,
    })

  it('passes a machine on which nothing was started yet, by its exit status too, and makes nothing there', () => {
    const { status, stdout, stderr } = run([])
    expect([status, stderr]).to.deep.equal([0, ''])
    expect(stdout).to.contain('ok    sandbox python: starts and computes\n')
    expect(existsSync(join(home, 'data'))).to.equal(false)
  })

  it('ends with 1 when something failed, each line of what followed by one of how to mend it', () => {
    const { status, stdout } = run([], { PORT: 'hunter2' })
    expect(status).to.equal(1)
    expect(stdout).to.match(/^fail {2}configuration: PORT must be .*\n {6}→ .*\n$/)
    expect(stdout).to.not.contain('hunter2')
  })

  it('answers in JSON, one object', () => {
    const { status, stdout } = run(['--json'], { DATA_DIR: '/dev/null' })
    const answer = JSON.parse(stdout)
    expect([status, answer.status]).to.deep.equal([1, 'fail'])
    const disk = answer.checks.find(({ check }: { check: string }) => check === 'disk')
    expect(disk).to.deep.include({ status: 'fail', what: 'DATA_DIR is not a folder' })
  })

  it('refuses words that it does not know', () => {
    expect(run(['--everything']).status).to.equal(2)
  })
})
