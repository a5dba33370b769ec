import { expect } from 'chai'
import type { RunJob } from '#application/ports/app-runner.ts'
import type { NodeTrace } from '#application/ports/node-traces.ts'
import { makeTraceRun } from '#application/use-cases/trace-run.ts'
import type { JsonObject } from '#domain/app.ts'
import type { RunStep } from '#domain/run.ts'
import { makeMask, secretsOf } from '#domain/trace-mask.ts'
import { anApp } from '../support/builders.ts'
import { fakeClock } from '../support/clock.ts'

const SECRET = 'pa"ss wörd/42'
const WORKFLOW: JsonObject = {
  environment_variables: [
    { name: 'KEY', value_type: 'secret', value: SECRET },
    { name: 'PLAIN', value_type: 'string', value: 'shown' },
  ],
  graph: {
    nodes: [
      {
        id: 'h',
        data: {
          type: 'http-request',
          authorization: { type: 'api-key', config: { api_key: 'literal-key' } },
          headers: 'X-Api-Key: header-key\nAccept: text/plain',
        },
      },
    ],
  },
}

function finished(index: number, given: Partial<Extract<RunStep, { kind: 'node_finished' }>> = {}): RunStep {
  return {
    kind: 'node_finished',
    executionId: `e${index}`,
    nodeId: 'n',
    nodeType: 'code',
    title: 'Code',
    index,
    predecessorNodeId: null,
    iterationId: null,
    loopId: null,
    status: 'succeeded',
    inputs: {},
    processData: {},
    outputs: {},
    error: null,
    elapsedS: 0.25,
    usage: null,
    ...given,
  }
}

function tracing({
  days = 30,
  fails = false,
  variables = [],
}: {
  days?: number
  fails?: boolean
  variables?: readonly JsonObject[]
} = {}) {
  const batches: (readonly NodeTrace[])[] = []
  const lines: string[] = []
  const line = (message: string) => void lines.push(message)
  const clock = fakeClock()
  const trace = makeTraceRun({
    nodeTraces: {
      add: async (traces) => {
        if (fails) throw new Error('away')
        batches.push(traces)
      },
      list: async () => [],
      forget: async () => 0,
    },
    knownKeys: () => ['model-key'],
    now: clock.now,
    log: { info: line, warn: line, error: line },
    settings: { traceRetentionDays: days },
  })
  // Only what a trace reads.
  const job = {
    app: anApp({ workspaceId: 'w' }),
    ids: { runId: 'r' },
    definition: { workflow: variables.length === 0 ? WORKFLOW : { environment_variables: variables } },
  } as unknown as RunJob
  return { open: () => trace(job), batches, lines, clock }
}

async function traced(step: RunStep): Promise<NodeTrace | undefined> {
  const { open, batches } = tracing()
  const trace = open()
  trace.take(step)
  await trace.close()
  return batches[0]?.[0]
}

describe('traces of runs', () => {
  it('tells when a node began and how long it took', async () => {
    const { open, batches, clock } = tracing()
    const trace = open()
    trace.take(finished(1))
    await trace.close()
    expect(batches[0]?.[0]).to.include({ runId: 'r', index: 1, elapsedMs: 250, startedAtMs: clock.now() - 250 })
  })

  // Protects the secrets of apps and workspaces from whoever reads the database or an operator's screen.
  for (const [what, text] of [
    ['a secret variable', SECRET],
    ['a secret variable inside JSON', JSON.stringify({ a: SECRET })],
    ['a secret variable in an address', `https://x.test/?q=${encodeURIComponent(SECRET)}`],
    ['a secret variable in Basic form', Buffer.from(SECRET).toString('base64')],
    ['the key of an HTTP node', 'got literal-key'],
    ['a header of an HTTP node', 'got header-key'],
    ['the key of a model', 'Incorrect API key provided: model-key'],
    ['a bearer that a server echoes', 'Authorization: Bearer abcdefgh12345678'],
  ] as const) {
    it(`hold no ${what}, however deep, in values, names and errors`, async () => {
      const deep = { list: [{ [text]: text, plain: 'shown' }] }
      const trace = await traced(finished(1, { inputs: deep, outputs: deep, error: text, title: text }))
      const stored = JSON.stringify(trace)
      for (const secret of [SECRET, JSON.stringify(SECRET).slice(1, -1), 'literal-key', 'header-key', 'model-key']) {
        expect(stored).not.to.contain(secret)
      }
      expect(stored).not.to.contain(Buffer.from(SECRET).toString('base64'))
      expect(stored).not.to.contain('abcdefgh12345678')
      expect(stored).not.to.contain(encodeURIComponent(SECRET))
      expect(stored).to.contain('***').and.to.contain('shown')
    })
  }

  it('hold nothing that is named like a credential', async () => {
    const headers = { Authorization: 'x', 'set-cookie': 'x', 'X-API-Key': ['x'], 'content-type': 'text/plain' }
    const trace = await traced(finished(1, { outputs: { headers } }))
    expect(trace?.outputs.headers).to.deep.equal({
      Authorization: '***',
      'set-cookie': '***',
      'X-API-Key': '***',
      'content-type': 'text/plain',
    })
  })

  it('are cut to size with a mark, after they were masked', async () => {
    const trace = await traced(finished(1, { outputs: { text: `${'ü'.repeat(4080)}${SECRET}${'x'.repeat(20_000)}` } }))
    expect(trace?.outputs).to.include({ cut: true })
    expect(Buffer.byteLength(JSON.stringify(trace?.outputs))).to.be.below(16_384)
    expect(JSON.stringify(trace)).not.to.contain('pa\\')
  })

  it('hold no part of a secret that stands where too long a text or value is cut', () => {
    const { text, json } = makeMask(['s3cret-key'])
    expect(text('s3cret-key'.repeat(5_000))).to.match(/^\*+…$/)
    const value = json({ list: Array.from({ length: 20_000 }, () => 's3cret-key') })
    expect(JSON.stringify(value)).to.contain('…').and.not.to.contain('s3')
  })

  it('take no time to speak of, whatever an app file has for headers and secrets', async () => {
    const headers = `${' '.repeat(3_000_000)}\na:x${' '.repeat(3_000_000)}x\nX-Api-Key:  k \r`
    const workflow = { graph: { nodes: [{ data: { type: 'http-request', headers } }] } }
    expect(secretsOf(workflow).filter((one) => one !== '')).to.deep.equal(['k'])
    const value = 'x'.repeat(10_001)
    const { open, batches, lines } = tracing({ variables: [{ value_type: 'secret', value }] })
    const trace = open()
    for (let index = 1; index <= 3; index++) trace.take(finished(index, { outputs: { text: 'x'.repeat(1_000_000) } }))
    await trace.close()
    expect(batches).to.deep.equal([])
    expect(lines).to.deep.equal(['a run is not traced, as its app has too many secrets to take out'])
  })

  it('are written fifty at a time, and the rest at the end', async () => {
    const { open, batches } = tracing()
    const trace = open()
    for (let index = 1; index <= 120; index++) trace.take(finished(index))
    await trace.close()
    expect(batches.map((batch) => batch.length)).to.deep.equal([50, 50, 20])
  })

  it('never fail a run, whatever a store or a mask does', async () => {
    const { open, lines } = tracing({ fails: true })
    const trace = open()
    const loop: Record<string, unknown> = {}
    loop.self = loop
    // No runner gives such outputs; whatever one gives, the run goes on.
    trace.take(finished(1, { outputs: loop as JsonObject }))
    trace.take(finished(2))
    await trace.close()
    expect(lines).to.deep.equal(['a node was not traced', 'traces of a run were not written'])
  })

  it('are not written where they are kept for no day', async () => {
    const { open, batches } = tracing({ days: 0 })
    const trace = open()
    trace.take(finished(1))
    await trace.close()
    expect(batches).to.deep.equal([])
  })
})
