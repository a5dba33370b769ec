import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'

describe('npm run demo', function () {
  this.timeout(150_000)

  it('E01 signs in through the pages, lists, describes, runs and revokes, and says so', async () => {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [
      join(import.meta.dirname, '../../scripts/demo.ts'),
    ])
    expect(stderr).to.equal('')
    expect(stdout).to.include('$ latchkey login').and.include('Demo done')
    expect(stdout).not.to.match(/dfo[ae]_[A-Za-z0-9_-]{43}/)
  })
})
