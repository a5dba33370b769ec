import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'

const run = promisify(execFile)
const DEMO = join(import.meta.dirname, '../../scripts/demo.ts')

describe('npm run demo', function () {
  this.timeout(150_000)

  for (const flags of [[], ['--forms']]) {
    it(`E01 signs in through the pages, runs and revokes, and says so: ${flags[0] ?? 'with a browser if there is one'}`, async () => {
      const { stdout, stderr } = await run(process.execPath, [DEMO, ...flags])
      expect(stderr).to.equal('')
      expect(stdout).to.include('$ latchkey login').and.include('Demo done')
      expect(stdout).not.to.match(/dfo[ae]_[A-Za-z0-9_-]{43}/)
    })
  }
})
