import { expect } from 'chai'
import { type ModelClient, ModelFailure, type ModelRequest } from '#adapters/runner-native/models/model-client.ts'
import { type ModelCall, observedModel } from '#adapters/runner-native/models/observed-model.ts'
import { createMetrics } from '#adapters/telemetry/metrics.ts'
import type { AppRunner, RunJob } from '#application/ports/app-runner.ts'
import type { RunStep } from '#domain/run.ts'

const REQUEST: ModelRequest = { model: 'm', messages: [{ role: 'user', text: 'hunter2' }], params: {} }
const IDLE = new AbortController().signal

async function callsOf(model: Partial<ModelClient>, signal = IDLE): Promise<ModelCall[]> {
  const told: ModelCall[] = []
  const whole: ModelClient = { canRun: () => true, stream: async function* () {}, ...model }
  const observed = observedModel(whole, () => (call) => void told.push(call))
  try {
    for await (const _ of observed.stream(REQUEST, signal));
  } catch {
    // The observer is asked below how it ended.
  }
  return told
}

describe('metrics', () => {
  it('tell of a model call how it ended, how long its first piece took and what it used', async () => {
    const usage = { promptTokens: 3, completionTokens: 2, totalTokens: 5 }
    const [answered] = await callsOf({
      async *stream() {
        yield { kind: 'text', delta: 'a' }
        yield { kind: 'usage', usage }
      },
    })
    expect(answered).to.include({ outcome: 'answered' })
    expect(answered?.usage).to.deep.equal(usage)
    expect(answered?.firstTokenSeconds).to.be.at.most(answered?.seconds ?? 0)
    const refuse = (error: Error): Partial<ModelClient> => ({
      async *stream() {
        yield { kind: 'finish', reason: 'stop' }
        throw error
      },
    })
    const busy = new ModelFailure({ code: 'rate_limit_error', message: 'busy' })
    expect((await callsOf(refuse(busy)))[0]).to.include({ outcome: 'rate_limit_error', firstTokenSeconds: null })
    expect((await callsOf(refuse(new Error('x'))))[0]).to.include({ outcome: 'broken' })
    expect((await callsOf({}, AbortSignal.abort()))[0]).to.include({ outcome: 'stopped' })
  })

  it('count what an endpoint says it used, unless it cannot be', async () => {
    const metrics = createMetrics('0')
    const call = { outcome: 'answered', seconds: 1, firstTokenSeconds: 0.5 } as const
    metrics.modelCall('bound', { ...call, usage: { promptTokens: 7, completionTokens: 2 } })
    for (const odd of [-1, Number.NaN, Number.POSITIVE_INFINITY, 1.5]) {
      metrics.modelCall('bound', { ...call, usage: { promptTokens: odd, completionTokens: odd } })
    }
    const text = await metrics.expose()
    expect(text).to.contain('latchkey_model_tokens_total{source="bound",kind="prompt"} 7')
    expect(text).to.contain('latchkey_model_calls_total{source="bound",outcome="answered"} 5')
  })

  // Every label value is a series that the scraper keeps for ever.
  it('L06 keep a bounded number of series, whatever the kinds of nodes are called', async () => {
    const metrics = createMetrics('0')
    const step = { kind: 'node_finished', status: 'succeeded', elapsedS: 1 }
    const runner: AppRunner = {
      preflight: async () => ({ ok: true }),
      async *run() {
        // Only what is counted; the rest of a step is nobody's concern here.
        for (let at = 0; at < 5000; at++) yield { ...step, nodeType: `x${at}"}\n` } as unknown as RunStep
      },
    }
    const job = { app: { mode: 'workflow' } } as unknown as RunJob // nothing else is looked at
    for await (const _ of metrics.ofRunner(runner).run(job, IDLE));
    const lines = (await metrics.expose()).split('\n')
    expect(lines.filter((line) => line.startsWith('latchkey_nodes_total')).length).to.equal(101)
    expect(lines.some((line) => line === 'latchkey_nodes_total{type="other",status="succeeded"} 4900')).to.equal(true)
  })

  it('read pools, Redis and sandboxes when they are scraped', async () => {
    const metrics = createMetrics('0')
    let asked = 5
    metrics.watch({
      databasePool: () => ({ size: 4, idle: 1, waiting: 2, max: 10 }),
      redis: () => ({ isUp: false, asked, failed: 2 }),
      sandboxes: () => ({ python: { busy: 1, idle: 0, waiting: 3 } }),
    })
    await metrics.expose()
    asked = 9
    const text = await metrics.expose()
    for (const line of [
      'latchkey_database_pool_connections{state="in_use"} 3',
      'latchkey_database_pool_connections{state="waiting"} 2',
      'latchkey_redis_up 0',
      'latchkey_redis_requests_total{outcome="answered"} 7',
      'latchkey_redis_requests_total{outcome="failed"} 2',
      'latchkey_sandbox_children{pool="python",state="waiting"} 3',
    ]) {
      expect(text.split('\n')).to.include(line)
    }
  })
})
