import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect } from 'chai'

const LOG = join(import.meta.dirname, '../../src/adapters/telemetry/log.ts')

/** The lines that `script` writes with a real log, which goes to the standard output of its process. */
function linesOf(script: string): Record<string, unknown>[] {
  const source = `import { createLog } from ${JSON.stringify(LOG)}; const log = createLog('info'); ${script}`
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', source], { encoding: 'utf8' })
  expect(stderr).to.equal('')
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
}

describe('the log of a server', () => {
  it('is one JSON object a line, whatever a caller put into it', () => {
    const [line] = linesOf(`log.info('a', { path: 'x\\n{"level":60}\\r\\u2028' })`)
    expect(line).to.include({ level: 30, msg: 'a', path: 'x\n{"level":60}\r\u2028' })
  })

  it('E17 blanks what is named like a secret, also one level down', () => {
    const names = ['token', 'password', 'secret', 'authorization', 'cookie', 'deviceCode', 'userCode', 'apiKey', 'key']
    const facts = Object.fromEntries(names.map((name) => [name, 'hunter2']))
    const lines = linesOf(`const facts = ${JSON.stringify(facts)}; log.warn('a', facts); log.warn('b', { of: facts })`)
    expect(lines).to.have.length(2)
    expect(JSON.stringify(lines)).to.not.contain('hunter2')
    for (const name of names) expect(lines[0]).to.have.property(name, '[redacted]')
  })

  // Drivers hang statements, commands and their arguments on what they throw.
  it('E17 tells name, message, stack and causes of an error, and nothing else that hangs on it', () => {
    const [line] = linesOf(`
      const cause = Object.assign(new TypeError('refused'), { command: { args: ['hunter2'] } })
      const error = Object.assign(new Error('away', { cause }), { query: 'hunter2', parameters: ['hunter2'] })
      log.error('request failed', { error })`)
    expect(line).to.have.nested.property('error.message', 'away')
    expect(line).to.have.nested.property('error.cause.name', 'TypeError')
    expect(line).to.have.nested.property('error.cause.message', 'refused')
    expect(line).to.have.nested.property('error.stack')
    const { error } = line as { error: { cause: object } } // asserted above
    expect(Object.keys(error)).to.have.members(['name', 'message', 'stack', 'cause'])
    expect(Object.keys(error.cause)).to.have.members(['name', 'message', 'stack'])
  })
})
