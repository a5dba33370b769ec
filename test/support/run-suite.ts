import Mocha from 'mocha'
import { lookOnceMore } from './last-look.ts'

/** What one mocha run came to. */
export type Totals = { readonly passed: number; readonly failed: number; readonly skipped: number }

/** Runs the test files named on the command line and sends the totals to the parent process. */
const mocha = new Mocha({
  reporter: 'dot',
  timeout: 20_000,
  forbidOnly: true,
  rootHooks: { afterAll: lookOnceMore },
})
for (const file of process.argv.slice(2)) mocha.addFile(file)
await mocha.loadFilesAsync()
const runner = mocha.run((failures) => {
  process.exitCode = failures === 0 ? 0 : 1
  const { passes = 0, pending = 0 } = runner.stats ?? {}
  process.send?.({ passed: passes, failed: failures, skipped: pending } satisfies Totals)
  if (process.connected) process.disconnect()
})
