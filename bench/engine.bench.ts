import { createSandbox, type Sandbox } from '#adapters/runner-native/code/sandbox.ts'
import { createGuardedEgress } from '#adapters/runner-native/egress/guarded-egress.ts'
import { createNativeRunner } from '#adapters/runner-native/native-runner.ts'
import type { AppRunner, RunJob } from '#application/ports/app-runner.ts'
import type { Timer } from '#application/ports/clock.ts'
import { isEnding } from '#domain/run.ts'
import { chain, fan, type Graph, INPUTS } from './support/graphs.ts'
import { quantile, type Spread, spreadOf } from './support/numbers.ts'

const NODES = 100
const RUNS = 40
const WARM_UP_RUNS = 10
const LENGTHS = [50, 100, 200]
const GROWTH_ROUNDS = 30
const PYTHON_CALLS = 100

const timer: Timer = (delayMs, fire) => {
  const handle = setTimeout(fire, delayMs)
  return () => clearTimeout(handle)
}

export type EngineFigures = {
  /** Milliseconds a node without code. */
  readonly chain: Spread
  readonly fan: Spread
  /** How the time of a run grows from 50 nodes to 200, a node: 1 is linear, 4 quadratic. */
  readonly growth: { readonly chain: number; readonly fan: number; readonly lengths: readonly GrowthStep[] }
  /** Milliseconds of a call of a Python function whose interpreter is there already. */
  readonly python: { readonly p50Ms: number; readonly p99Ms: number }
}
type GrowthStep = { readonly nodes: number; readonly chainMs: number; readonly fanMs: number }

/** What a node without code costs (scheduling, its variables, its own work, its two events), and a call of Python. */
export async function measureEngine(): Promise<EngineFigures> {
  const sandbox = createSandbox({ timer })
  let ids = 0
  const runner = createNativeRunner({
    model: null,
    code: sandbox,
    templates: sandbox,
    egress: createGuardedEgress({ rules: { allowCidrs: [], allowHosts: [] }, timer }),
    now: Date.now,
    timer,
    ids: () => `id-${ids++}`,
    onFault: (error) => {
      throw error
    },
  })
  const figures = { chain: await msANode(runner, chain(NODES)), fan: await msANode(runner, fan(NODES)) }
  const growth = await growthOf(runner)
  const python = await pythonCalls(sandbox)
  await sandbox.close()
  return { ...figures, growth, python }
}

/** In turn, round by round, so that whatever else the machine does meets all lengths alike. */
async function growthOf(runner: AppRunner): Promise<EngineFigures['growth']> {
  const graphs = LENGTHS.map((nodes) => ({ nodes, chain: chain(nodes), fan: fan(nodes) }))
  const samples = graphs.map(() => ({ chain: [] as number[], fan: [] as number[] }))
  for (let round = 0; round < GROWTH_ROUNDS; round++) {
    for (const [at, graph] of graphs.entries()) {
      samples[at]?.chain.push(await msOfRun(runner, graph.chain))
      samples[at]?.fan.push(await msOfRun(runner, graph.fan))
    }
  }
  const lengths = LENGTHS.map((nodes, at) => {
    const { chain: ofChain = [], fan: ofFan = [] } = samples[at] ?? {}
    return { nodes, chainMs: spreadOf(ofChain).median, fanMs: spreadOf(ofFan).median }
  })
  const [short, long] = [lengths[0], lengths.at(-1)]
  if (short === undefined || long === undefined) throw new Error('nothing measured')
  const factor = long.nodes / short.nodes
  const grown = (side: 'chainMs' | 'fanMs') => long[side] / short[side] / factor
  return { chain: grown('chainMs'), fan: grown('fanMs'), lengths }
}

async function pythonCalls(sandbox: Sandbox): Promise<EngineFigures['python']> {
  const code = 'def main(n: int) -> dict:\n    return {"result": sum(range(n))}\n'
  const delays: number[] = []
  for (let call = 0; call < PYTHON_CALLS + WARM_UP_RUNS; call++) {
    const startedAtMs = performance.now()
    const ran = await sandbox.runPython(code, { n: call }, 'app', new AbortController().signal)
    if (!ran.ok) throw new Error(`Python: ${ran.error}`)
    if (call >= WARM_UP_RUNS) delays.push(performance.now() - startedAtMs)
  }
  const sorted = delays.toSorted((a, b) => a - b)
  return { p50Ms: quantile(sorted, 0.5), p99Ms: quantile(sorted, 0.99) }
}

async function msANode(runner: AppRunner, graph: Graph): Promise<Spread> {
  const samples: number[] = []
  for (let run = 0; run < WARM_UP_RUNS + RUNS; run++) {
    const ms = await msOfRun(runner, graph)
    if (run >= WARM_UP_RUNS) samples.push(ms / graph.nodes.length)
  }
  return spreadOf(samples)
}

async function msOfRun(runner: AppRunner, graph: Graph): Promise<number> {
  const startedAtMs = performance.now()
  let finished = 0
  for await (const step of runner.run(jobOf(graph), new AbortController().signal)) {
    if (step.kind === 'node_finished') finished++
    if (isEnding(step) && step.kind !== 'succeeded') throw new Error(`the graph ended as ${JSON.stringify(step)}`)
  }
  if (finished !== graph.nodes.length) throw new Error(`${finished} of ${graph.nodes.length} nodes ran`)
  return performance.now() - startedAtMs
}

function jobOf(graph: Graph): RunJob {
  return {
    app: {
      id: 'app',
      workspaceId: 'workspace',
      workspaceName: 'Bench',
      workspaceStatus: 'normal',
      name: 'Bench',
      description: '',
      mode: 'workflow',
      status: 'normal',
      apiEnabled: true,
      accessMode: null,
      tags: [],
      authorName: null,
      updatedAtMs: 0,
    },
    definition: {
      id: 'definition',
      appId: 'app',
      kind: 'published',
      dslVersion: '0.3.1',
      workflow: { graph, environment_variables: [], conversation_variables: [], features: {} },
      modelConfig: null,
    },
    ids: { taskId: 'task', runId: 'run', workflowId: 'definition', messageId: 'message', conversationId: null },
    request: { inputs: INPUTS, query: '', files: [] },
    invokeFrom: 'openapi',
    callerId: 'caller',
    history: [],
    conversationVariables: {},
    dialogueCount: 0,
    saveVariables: async () => {},
  }
}
