import { createSandbox } from '#adapters/runner-native/code/sandbox.ts'
import { createGuardedEgress } from '#adapters/runner-native/egress/guarded-egress.ts'
import { createNativeRunner } from '#adapters/runner-native/native-runner.ts'
import type { AppRunner, RunJob } from '#application/ports/app-runner.ts'
import type { Timer } from '#application/ports/clock.ts'
import { isEnding } from '#domain/run.ts'
import { chain, fan, type Graph, INPUTS } from './support/graphs.ts'
import { type Spread, spreadOf } from './support/numbers.ts'

const NODES = 100
const RUNS = 40
const WARM_UP_RUNS = 10

const timer: Timer = (delayMs, fire) => {
  const handle = setTimeout(fire, delayMs)
  return () => clearTimeout(handle)
}

/** What a node without code costs in milliseconds: scheduling, its variables, its own work, its two events. */
export async function measureEngine(): Promise<{ readonly chain: Spread; readonly fan: Spread }> {
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
  await sandbox.close()
  return figures
}

async function msANode(runner: AppRunner, graph: Graph): Promise<Spread> {
  const job = jobOf(graph)
  const samples: number[] = []
  for (let run = 0; run < WARM_UP_RUNS + RUNS; run++) {
    const startedAtMs = performance.now()
    let finished = 0
    for await (const step of runner.run(job, new AbortController().signal)) {
      if (step.kind === 'node_finished') finished++
      if (isEnding(step) && step.kind !== 'succeeded') throw new Error(`the graph ended as ${JSON.stringify(step)}`)
    }
    if (finished !== graph.nodes.length) throw new Error(`${finished} of ${graph.nodes.length} nodes ran`)
    if (run >= WARM_UP_RUNS) samples.push((performance.now() - startedAtMs) / finished)
  }
  return spreadOf(samples)
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
