import { readdirSync, readFileSync } from 'node:fs'
import { expect } from 'chai'
import fc from 'fast-check'
import { createDslFiles } from '#adapters/runner-native/dsl/dsl-files.ts'
import { readDsl } from '#adapters/runner-native/dsl/read-dsl.ts'
import { writeDsl } from '#adapters/runner-native/dsl/write-dsl.ts'
import type { Timer } from '#application/ports/clock.ts'
import { DomainError } from '#domain/errors.ts'

const timer: Timer = (delayMs, fire) => {
  const handle = setTimeout(fire, delayMs)
  return () => clearTimeout(handle)
}
const files = createDslFiles({ timer })

const graph = `workflow:
  environment_variables:
  - {name: TOKEN, value: hunter2, value_type: secret, id: e1}
  - {name: PLACE, value: Lisbon, value_type: string, id: e2}
  graph:
    nodes:
    - {id: start, data: {type: start, title: "#1: ‘ü’", desc: "a\\nb\\n"}}
    edges: []
`
const app = `app: {name: Test, description: "", mode: workflow, icon: 🤖, icon_background: "#FFEAD5"}
`
const whole = `version: "0.3.1"\nkind: app\n${app}dependencies: []\n${graph}`

const asIs = { name: 'Test', description: '', includeSecret: false }

async function refusal(work: Promise<unknown>): Promise<string> {
  try {
    await work
    return 'it was not refused'
  } catch (error) {
    if (error instanceof DomainError && 'message' in error.facts) return error.facts.message
    throw error
  }
}

/** An app file of about `bytes`, most of it nodes. */
function large(bytes: number): string {
  const node = (at: number) => `    - {id: n${at}, data: {type: code, title: T${at}, code: "def main(): return 1"}}\n`
  const length = node(100_000).length
  const nodes = Array.from({ length: Math.floor(bytes / length) }, (_, at) => node(100_000 + at)).join('')
  return `version: "0.6.0"\nkind: app\n${app}workflow:\n  graph:\n    edges: []\n    nodes:\n${nodes}`
}

describe('exporting apps', () => {
  for (const [what, source] of [
    ['a file of today', whole],
    ['a file without a version', `${app}${graph}`],
    ['a file with CRLF', whole.replaceAll('\n', '\r\n')],
    ['JSON', JSON.stringify({ app: { name: 'Test', mode: 'chat' }, model_config: { pre_prompt: 'x: - "y"' } })],
    ['a console’s envelope', JSON.stringify({ data: whole })],
    ...readdirSync('examples').map((name) => [name, readFileSync(`examples/${name}`, 'utf8')] as const),
  ] as const) {
    it(`${what} imports as the same app, and exports to the same bytes again`, () => {
      const { age: _age, ...before } = readDsl(source)
      const choices = { name: before.name, description: before.description, includeSecret: true }
      const once = writeDsl(source, choices)
      const { age: _again, ...after } = readDsl(once)
      expect(after).to.deep.equal(before)
      expect(writeDsl(once, choices)).to.equal(once)
    })
  }

  it('carries the present name, and everything that the file had beside the definition', () => {
    const exported = writeDsl(whole, { name: 'Renamed: "x"', description: 'two\nlines', includeSecret: false })
    expect(readDsl(exported)).to.deep.include({ name: 'Renamed: "x"', description: 'two\nlines', version: '0.3.1' })
    expect(exported).to.include('icon: 🤖').and.to.include('dependencies: []')
    expect(exported).to.match(/^version: 0\.3\.1\nkind: app\n/)
  })

  it('blanks the values of secret variables, and only those, unless they are asked for', () => {
    const blanked = writeDsl(whole, asIs)
    expect(blanked).not.to.include('hunter2')
    expect(blanked).to.include('TOKEN').and.to.include('Lisbon')
    expect(writeDsl(whole, { ...asIs, includeSecret: true })).to.include('hunter2')
    expect(writeDsl(blanked, asIs)).to.equal(blanked)
  })

  // YAML has more ways to misread a text than anybody remembers: "no", "1e3", "~", "- a", "a: b", "#", tabs, U+2028.
  it('gives back whatever JSON an app holds', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }).map((one) => one.replaceAll('\0', '').toWellFormed()),
      fc.constantFrom(
        'no',
        'true',
        '~',
        '1e3',
        '0x1F',
        '012',
        '- a',
        'a: b',
        '# c',
        ' x ',
        '\t',
        '\u2028',
        'a\r\nb',
        '---',
        '!!str',
        '*a',
        '&a',
        '|',
        '>',
        '%',
        '@',
        '`',
        "'",
        '"',
        'a\n\n',
        '\n a',
        '<<',
      ),
    )
    const value = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        text,
        fc.integer(),
        fc.double({ noNaN: true, noDefaultInfinity: true }).filter((one) => !Object.is(one, -0)),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(text, tie('value'), { maxKeys: 4, noNullPrototype: true }),
      ),
    })).value
    fc.assert(
      fc.property(value, (held) => {
        const model_config = { pre_prompt: '', user_input_form: [], model: {}, held }
        const source = JSON.stringify({ app: { name: 'Test', mode: 'chat' }, model_config })
        expect(readDsl(writeDsl(source, asIs)).modelConfig).to.deep.equal(readDsl(source).modelConfig)
      }),
      { numRuns: 500 },
    )
  })

  it('writes a file that would grow beyond the limit as JSON, which still imports', function () {
    this.timeout(20_000)
    const source = large(100_000)
    const flat = JSON.stringify({
      version: '0.6.0',
      app: { name: 'T', mode: 'chat' },
      model_config: { a: Array(2_100_000).fill(1) },
    })
    const exported = writeDsl(flat, asIs)
    expect(exported.startsWith('{')).to.equal(true)
    expect(readDsl(exported).mode).to.equal('chat')
    expect(writeDsl(source, asIs).startsWith('version: 0.6.0\n')).to.equal(true)
  })
})

describe('reading large app files', () => {
  it('keeps this thread free for others', async function () {
    this.timeout(30_000)
    const source = large(1_500_000)
    let ticks = 0
    const counting = setInterval(() => {
      ticks += 1
    }, 5)
    try {
      const inline = performance.now()
      readDsl(source)
      const inlineMs = performance.now() - inline
      ticks = 0
      const { workflow } = await files.read(source)
      expect(workflow).to.have.nested.property('graph.nodes').with.length.above(10_000)
      // While the same is read in this thread, not one tick comes through.
      expect(ticks).to.be.above(Math.min(20, inlineMs / 50))
    } finally {
      clearInterval(counting)
    }
  })

  it('refuses them with line and reason like small ones', async function () {
    this.timeout(20_000)
    const source = large(200_000)
    expect(await refusal(files.read(`${source}  - [`))).to.match(/^line \d+, column \d+: /)
    expect(await refusal(files.read(source.replace('mode: workflow', 'mode: dream')))).to.include('`app.mode` must be')
    expect(await refusal(files.write(`${source}\0[`, asIs))).to.match(/^line \d+/)
    expect(await refusal(files.read('a'.repeat(10 * 1024 * 1024 + 1)))).to.equal('the file is larger than 10 MiB')
  })

  it('gives up on one that takes too long, and reads the next', async function () {
    this.timeout(20_000)
    let isImpatient = true
    const impatient = createDslFiles({
      timer: (_delayMs, fire) => {
        if (isImpatient) fire()
        return () => {}
      },
    })
    const source = large(200_000)
    expect(await refusal(impatient.read(source))).to.equal('the file takes too long to read')
    isImpatient = false
    expect((await impatient.read(source)).mode).to.equal('workflow')
  })

  it('lets no more than ten wait, and takes more when those are done', async function () {
    this.timeout(20_000)
    const impatient = createDslFiles({
      timer: (_delayMs, fire) => {
        fire()
        return () => {}
      },
    })
    const source = large(120_000)
    const codeOf = (work: Promise<unknown>) =>
      work.catch((error: unknown) => error instanceof DomainError && error.code)
    const all = await Promise.all(Array.from({ length: 11 }, () => codeOf(impatient.read(source))))
    expect(all).to.deep.equal([...Array<string>(10).fill('dsl_invalid'), 'service_unavailable'])
    expect(await codeOf(impatient.read(source))).to.equal('dsl_invalid')
  })
})
