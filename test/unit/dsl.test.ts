import { expect } from 'chai'
import { readDsl } from '#adapters/runner-native/dsl/read-dsl.ts'
import { DomainError } from '#domain/errors.ts'

const workflow = `version: "0.3.1"
kind: app
app:
  name: Test
  description: Says so
  mode: workflow
workflow:
  graph:
    nodes:
    - id: start
      position: {x: 1, y: 2}
      data: {type: start, title: Start}
    edges: []
`

function refusal(text: string): string {
  try {
    readDsl(text)
  } catch (error) {
    if (error instanceof DomainError && error.code === 'dsl_invalid' && 'message' in error.facts)
      return error.facts.message
    throw error
  }
  throw new Error('it was not refused')
}

describe('reading app files', () => {
  it('names the place of a key that a mapping has twice', () => {
    expect(refusal('app: {name: a}\napp: {name: b}\n')).to.equal('line 2, column 1: Map keys must be unique')
    expect(refusal('app:\n  icon: {"a": 1, "a": 2}\n')).to.match(/^line 2, column 18: /)
  })

  // Comparing every key with every other, a file of this size held the whole server up for minutes.
  it('reads a mapping of forty thousand keys in time that grows with its length', function () {
    this.timeout(8000)
    const keys = Array.from({ length: 40_000 }, (_, at) => `  k${at}: ${at}\n`).join('')
    expect(readDsl(`${workflow}dependencies:\n${keys}`).name).to.equal('Test')
  })

  it('reads name, mode, version and definition', () => {
    const { name, description, mode, version, modelConfig, workflow: graph } = readDsl(workflow)
    expect({ name, description, mode, version, modelConfig }).to.deep.equal({
      name: 'Test',
      description: 'Says so',
      mode: 'workflow',
      version: '0.3.1',
      modelConfig: null,
    })
    // YAML 1.1 would read the key `y` of every position as true.
    expect(JSON.stringify(graph)).to.include('"y":2')
  })

  it('reads every version, and files that name none', () => {
    const versions = ['0.1.0', '0.1.5', '0.2.0', '0.3.0', '0.4.0', '0.5.0', '0.6.0']
    for (const version of versions) expect(readDsl(workflow.replace('0.3.1', version)).version).to.equal(version)
    expect(readDsl(workflow.split('\n').slice(2).join('\n')).version).to.equal('0.1.0')
  })

  it('reads CRLF, a byte order mark, JSON, and the JSON envelope of a console', () => {
    const plain = readDsl(workflow)
    expect(readDsl(workflow.replaceAll('\n', '\r\n'))).to.deep.equal(plain)
    expect(readDsl(`\uFEFF${workflow}`)).to.deep.equal(plain)
    const { name, description, mode, version } = plain
    const json = { version, app: { name, description, mode }, workflow: plain.workflow }
    expect(readDsl(JSON.stringify(json))).to.deep.equal(plain)
    expect(readDsl(JSON.stringify({ data: workflow }))).to.deep.equal(plain)
  })

  it('names line and reason of a syntax error, and never repeats the file', () => {
    const message = refusal(`${workflow}  password: "hunter2\n  other: [`)
    expect(message).to.match(/^line \d+, column \d+: /)
    expect(message).not.to.include('hunter2')
    expect(message.length).to.be.below(250)
  })

  it('refuses what is no app', () => {
    expect(refusal('')).to.include('mapping')
    expect(refusal('- a\n- b')).to.include('mapping')
    expect(refusal('kind: app')).to.equal('`app` is missing')
    expect(refusal(workflow.replace('kind: app', 'kind: pipeline'))).to.equal('`kind` must be app')
    expect(refusal(workflow.replace('mode: workflow', 'mode: dream'))).to.include('`app.mode` must be one of')
    expect(refusal(workflow.replace('mode: workflow', 'mode: chat'))).to.equal('`model_config` is missing')
    expect(refusal(workflow.replace('workflow:\n', 'flow:\n'))).to.equal('`workflow` is missing')
  })

  it('refuses nodes and edges of the wrong type', () => {
    expect(refusal(workflow.replace('edges: []', 'edges: none'))).to.equal('`workflow.graph.edges` must be a list')
    expect(refusal(workflow.replace('edges: []', 'edges: [5]'))).to.equal('`workflow.graph.edges[0]` must be a mapping')
  })

  it('refuses versions that are no text, or none at all', () => {
    expect(refusal(workflow.replace('"0.3.1"', '0.3'))).to.include('`version` must be a string')
    expect(refusal(workflow.replace('0.3.1', 'newest'))).to.include('must look like')
  })

  it('refuses files that unfold into more than they are', () => {
    // "Billion laughs": each line is ten of the line before.
    const laughs = Array.from(
      { length: 9 },
      (_, at) => `l${at + 1}: &l${at + 1} [${Array(9).fill(`*l${at}`).join(', ')}]`,
    )
    expect(refusal(`l0: &l0 [x]\n${laughs.join('\n')}\n${workflow}`)).to.include('alias')
    expect(refusal('&a [*a]')).to.be.a('string')
    expect(refusal(`x: ${'['.repeat(50_000)}${']'.repeat(50_000)}\n${workflow}`)).to.be.a('string')
    expect(refusal('a'.repeat(10 * 1024 * 1024 + 1))).to.equal('the file is larger than 10 MiB')
  })

  it('keeps no NUL and no broken surrogate, which no database stores', () => {
    expect(readDsl(workflow.replace('name: Test', 'name: "a\\0b"')).name).to.equal('ab')
    const json = '{"app":{"name":"\\ud800x","mode":"chat"},"model_config":{}}'
    expect(readDsl(json).name).to.equal('\ufffdx')
  })
})
