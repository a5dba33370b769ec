import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { CHILD_ENV } from '../support/child-env.ts'

const ROOT = join(import.meta.dirname, '../..')

describe('latchkey app try', function () {
  // The first Python of a process takes seconds.
  this.timeout(60_000)
  let folder: string
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'latchkey-try-'))
  })
  after(() => rmSync(folder, { recursive: true }))

  /** In an empty folder, and with an environment that no server would start with. */
  const latchkey = (...words: readonly string[]) =>
    spawnSync(process.execPath, [join(ROOT, 'src/main.ts'), 'app', 'try', ...words], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...CHILD_ENV, PORT: 'nonsense' },
    })

  it('plays every example to its end, tells of each as JSON, and leaves nothing behind', () => {
    const { status, stdout, stderr } = latchkey(join(ROOT, 'examples'), '--json')
    expect(stderr).to.equal('')
    expect(status).to.equal(0)
    const { files } = JSON.parse(stdout)
    expect(files.map(({ file }: { file: string }) => file)).to.deep.equal(
      readdirSync(join(ROOT, 'examples')).toSorted(),
    )
    for (const one of files) {
      expect(one).to.have.all.keys('file', 'imported', 'mode', 'preflight', 'status', 'outputs', 'error')
      expect(one).to.deep.include({ imported: true, preflight: [], status: 'succeeded', error: null })
    }
    expect(readdirSync(folder)).to.deep.equal([])
  })

  it('goes on after files that are none, and fails by its exit status', () => {
    const odd = mkdtempSync(join(tmpdir(), 'latchkey-odd-'))
    writeFileSync(join(odd, 'broken.yml'), 'a: [')
    writeFileSync(join(odd, 'bytes.yml'), Buffer.from([0xff, 0xfe, 0x00, 0x80]))
    symlinkSync(join(odd, 'nowhere'), join(odd, 'gone.yaml'))
    symlinkSync(join(ROOT, 'examples/assistant-chat.yml'), join(odd, 'good.yml'))
    writeFileSync(join(odd, 'README.md'), '# not an app')
    const plain = latchkey(odd)
    const { status, stdout } = latchkey(odd, '--json')
    rmSync(odd, { recursive: true })
    expect([status, plain.status]).to.deep.equal([1, 1])
    const { files } = JSON.parse(stdout)
    expect(files.map(({ file, imported }: { file: string; imported: boolean }) => [file, imported])).to.deep.equal([
      ['broken.yml', false],
      ['bytes.yml', false],
      ['gone.yaml', false],
      ['good.yml', true],
    ])
    expect(plain.stdout.trimEnd().split('\n').at(-1)).to.equal(
      '4 files: 1 run, 0 fail, 0 need binding, 3 cannot be imported',
    )
  })

  it('names a folder that is not there, or empty', () => {
    const gone = latchkey(join(folder, 'nowhere'))
    expect([gone.status, gone.stderr]).to.deep.equal([
      1,
      `latchkey: cannot read ${join(folder, 'nowhere')}: there is no such folder\n`,
    ])
    expect(latchkey(folder).stderr).to.include('holds no app files')
    expect(latchkey().status).to.equal(2)
  })

  it('answers a mistyped option with its name alone', () => {
    expect(latchkey(folder, '--jsn').stderr).to.match(
      /^latchkey: Unknown option '--jsn'\n\nUsage:\n\n {2}app try FOLDER/,
    )
  })

  it('the table in the documentation is what came of it (npm run table writes it)', () => {
    const { status } = spawnSync(process.execPath, ['scripts/app-table.ts', '--check'], { cwd: ROOT })
    expect(status).to.equal(0)
  })
})
