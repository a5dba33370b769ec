import { expect } from 'chai'
import { buildGraph, type Graph } from '#adapters/runner-native/graph/graph.ts'
import { advance, openScheduler } from '#adapters/runner-native/graph/scheduler.ts'
import type { SchedulerCommand, SchedulerEvent } from '#adapters/runner-native/graph/scheduler-events.ts'
import { INITIAL_STATE } from '#adapters/runner-native/graph/scheduler-state.ts'
import type { Json, JsonObject } from '#domain/app.ts'
import { aJob, aRunner, aSpyModel, codeTable, noPython, type Outcome, outcomeOf, run } from './support.ts'
import { aCode, aNode, anAnswer, anEnd, anLlm, aStart, aWorkflow, edges, inside } from './workflow.ts'

const anIteration = (data: JsonObject = {}, id = 'it') =>
  aNode(id, 'iteration', {
    iterator_selector: ['start', 'list'],
    output_selector: ['work', 'out'],
    start_node_id: 'itstart',
    ...data,
  })
const work = (code = 'work', selector: readonly string[] = ['it', 'item']) =>
  aCode('work', code, { variables: [{ variable: 'x', value_selector: selector }], outputs: { out: { type: 'any' } } })

/** start > it(itstart > work) > end */
function iterating(
  data: JsonObject = {},
  more: readonly JsonObject[] = [],
  connected: readonly string[] = [],
): JsonObject {
  return aWorkflow(
    [
      aStart(),
      anIteration(data),
      inside('it', aNode('itstart', 'iteration-start')),
      inside('it', work()),
      anEnd('end', 'it.output'),
      ...more,
    ],
    edges('start>it', 'itstart>work', 'it>end', ...connected),
  )
}

async function iterate(
  list: Json,
  main: (x: Json) => Json | Promise<Json>,
  workflow: JsonObject = iterating(),
): Promise<Outcome> {
  const code = codeTable({
    work: async ({ x = null }) => {
      const out = await main(x)
      if (out === 'fail') throw new Error('unexpected')
      return { out }
    },
  })
  return run(aJob('workflow', { workflow }, { inputs: { list } }), { code, onFault: () => {} })
}
const outputOf = ({ ending }: Outcome) => ending.outputs.output

describe('iteration', () => {
  it('runs its insides for each item in turn, and gives what they made', async () => {
    const outcome = await iterate([1, 2], (x) => Number(x) * 10)
    expect(outputOf(outcome)).to.deep.equal([10, 20])
    expect(outcome.path).to.deep.equal([
      'run_started',
      'node_started:start',
      'node_finished:start',
      'iteration_started:it',
      'iteration_next:it',
      'node_started:itstart',
      'node_finished:itstart',
      'node_started:work',
      'node_finished:work',
      'iteration_next:it',
      'node_started:itstart',
      'node_finished:itstart',
      'node_started:work',
      'node_finished:work',
      'iteration_completed:it',
      'node_started:end',
      'node_finished:end',
      'succeeded',
    ])
  })

  it('names itself in every step of its insides, and its length and rounds in its own', async () => {
    const { steps } = await iterate(['a', 'b'], (x) => x)
    const own = steps.filter((step) => 'nodeId' in step && ['it', 'work'].includes(step.nodeId))
    const told = own.map((step) => ({
      kind: step.kind,
      ...('iterationId' in step ? { in: step.iterationId } : {}),
      ...('length' in step ? { length: step.length } : {}),
      ...('rounds' in step ? { rounds: step.rounds } : {}),
      ...('round' in step ? { round: step.round } : {}),
    }))
    expect(told).to.deep.equal([
      { kind: 'iteration_started', in: null, length: 2 },
      { kind: 'iteration_next', in: null, round: 0 },
      { kind: 'node_started', in: 'it' },
      { kind: 'node_finished', in: 'it' },
      { kind: 'iteration_next', in: null, round: 1 },
      { kind: 'node_started', in: 'it' },
      { kind: 'node_finished', in: 'it' },
      { kind: 'iteration_completed', in: null, rounds: 2 },
    ])
  })

  for (const empty of [null, []]) {
    it(`gives an empty list for ${JSON.stringify(empty)}`, async () => {
      const outcome = await iterate(empty, (x) => x)
      expect(outputOf(outcome)).to.deep.equal([])
      expect(outcome.ending.kind).to.equal('succeeded')
    })
  }

  for (const [what, list] of [
    ['what is no list', 'text'],
    ['more than a thousand items', Array.from({ length: 100_000 }, (_, at) => at)],
  ] as const) {
    it(`refuses ${what} with one clear failure`, async () => {
      const outcome = await iterate(list, (x) => x)
      expect(outcome.ending).to.deep.include({ kind: 'failed' })
      expect(outcome.path).to.include('iteration_completed:it')
    })
  }

  it('keeps the order of the items when rounds run at the same time and end in another order', async () => {
    const releases: (() => void)[] = []
    const workflow = iterating({ is_parallel: true, parallel_nums: 3 })
    const held = (x: Json) =>
      new Promise<Json>((resolve) => {
        releases.push(() => resolve(x))
        if (releases.length === 3) for (const release of releases.splice(0).reverse()) release()
      })
    const outcome = await iterate(['a', 'b', 'c', 'd', 'e', 'f'], held, workflow)
    expect(outputOf(outcome)).to.deep.equal(['a', 'b', 'c', 'd', 'e', 'f'])
  })

  it('runs no more rounds at a time than it says', async () => {
    let [now, most] = [0, 0]
    const workflow = iterating({ is_parallel: true, parallel_nums: 2 })
    const counted = async (x: Json) => {
      now += 1
      most = Math.max(most, now)
      await new Promise(setImmediate)
      now -= 1
      return x
    }
    await iterate([1, 2, 3, 4, 5], counted, workflow)
    expect(most).to.equal(2)
  })

  describe('with a failing round', () => {
    const failing = (x: Json) => (x === 2 ? 'fail' : x)

    it('ends the run when errors terminate it, with the failure of the node inside', async () => {
      const { ending, path } = await iterate([1, 2, 3], failing)
      expect(ending.kind).to.equal('failed')
      expect(path.filter((step) => step === 'iteration_next:it')).to.have.length(2)
    })

    it('gives null for the item when errors do not matter', async () => {
      const outcome = await iterate([1, 2, 3], failing, iterating({ error_handle_mode: 'continue-on-error' }))
      expect(outputOf(outcome)).to.deep.equal([1, null, 3])
    })

    it('leaves the item out when failed ones are removed, but keeps a null that a round gave', async () => {
      const workflow = iterating({ error_handle_mode: 'remove-abnormal-output' })
      const outcome = await iterate([1, 2, null], failing, workflow)
      expect(outputOf(outcome)).to.deep.equal([1, null])
    })

    it('takes its fail branch when it has one, and stops the other rounds', async () => {
      const aborted: string[] = []
      const code = {
        ...noPython,
        async runJavaScript(_code: string, { x }: JsonObject, signal: AbortSignal) {
          if (x === 'bad') return { ok: false as const, error: 'boom' }
          await new Promise((resolve) => signal.addEventListener('abort', resolve))
          aborted.push(String(x))
          return { ok: false as const, error: 'aborted' }
        },
      }
      const workflow = aWorkflow(
        [
          aStart(),
          anIteration({ is_parallel: true, error_strategy: 'fail-branch' }),
          inside('it', aNode('itstart', 'iteration-start')),
          inside('it', work()),
          anEnd('sorry', 'it.error_message'),
        ],
        edges('start>it', 'itstart>work', 'it:fail-branch>sorry'),
      )
      const { ending } = await run(aJob('workflow', { workflow }, { inputs: { list: ['held', 'bad'] } }), { code })
      expect(ending).to.deep.include({ kind: 'partial', outputs: { error_message: 'boom' } })
      expect(aborted).to.deep.equal(['held'])
    })
  })

  it('joins lists into one, unless it is told not to or some round gave none', async () => {
    const pair = (x: Json) => [x, x]
    expect(outputOf(await iterate([1, 2], pair))).to.deep.equal([1, 1, 2, 2])
    expect(outputOf(await iterate([1, 2], pair, iterating({ flatten_output: false })))).to.deep.equal([
      [1, 1],
      [2, 2],
    ])
    expect(outputOf(await iterate([1, 2], (x) => (x === 1 ? [x] : x)))).to.deep.equal([[1], 2])
  })

  it('begins with the node that an old file names, and with the first one when it names none', async () => {
    for (const named of ['work', '']) {
      const workflow = aWorkflow(
        [
          aStart(),
          anIteration({ start_node_id: named }),
          aNode('work', 'code', { ...(work().data as JsonObject), isInIteration: true, iteration_id: 'it' }),
          anEnd('end', 'it.output'),
        ],
        edges('start>it', 'it>end'),
      )
      expect(outputOf(await iterate(['a'], (x) => x, workflow))).to.deep.equal(['a'])
    }
  })

  it('gives every round variables of its own', async () => {
    const second = aCode('second', 'second', {
      variables: [{ variable: 'before', value_selector: ['work', 'out'] }],
    })
    const seen: Json[] = []
    const workflow = aWorkflow(
      [
        aStart(),
        anIteration({ output_selector: ['second', 'out'] }),
        inside('it', aNode('itstart', 'iteration-start')),
        inside('it', second),
        inside('it', work()),
        anEnd('end', 'it.output', 'work.out'),
      ],
      edges('start>it', 'itstart>second', 'second>work', 'it>end'),
    )
    const code = codeTable({
      work: () => ({ out: 'leaked' }),
      second: ({ before = null }) => {
        seen.push(before)
        return { out: 'x' }
      },
    })
    const { ending } = await run(aJob('workflow', { workflow }, { inputs: { list: [1, 2] } }), { code })
    expect(seen).to.deep.equal([null, null])
    expect(ending.outputs).to.deep.equal({ output: ['x', 'x'], out: null })
  })

  it('assigns variables of the conversation for everybody, round after round', async () => {
    const assign = aNode('set', 'assigner', {
      items: [
        {
          variable_selector: ['conversation', 'all'],
          operation: 'append',
          input_type: 'variable',
          value: ['it', 'item'],
        },
      ],
    })
    const workflow = aWorkflow(
      [
        aStart(),
        anIteration({ output_selector: ['it', 'item'], is_parallel: true }),
        inside('it', aNode('itstart', 'iteration-start')),
        inside('it', assign),
        anAnswer('answer', '{{#conversation.all#}}'),
      ],
      edges('start>it', 'itstart>set', 'it>answer'),
      { conversation_variables: [{ name: 'all', value_type: 'array[string]', value: [] }] },
    )
    const saved: JsonObject[] = []
    const job = aJob(
      'advanced-chat',
      { workflow },
      { inputs: { list: ['a', 'b', 'c'] }, saveVariables: async (kept) => void saved.push(kept) },
    )
    expect((await run(job)).text).to.equal('["a","b","c"]')
    expect(saved.at(-1)).to.deep.equal({ all: ['a', 'b', 'c'] })
  })

  it('tells answers within it while it runs, and those after it only then', async () => {
    const workflow = aWorkflow(
      [
        aStart(),
        anIteration({ output_selector: ['llm', 'text'] }),
        inside('it', aNode('itstart', 'iteration-start')),
        inside('it', anLlm('llm', '{{#it.item#}}')),
        inside('it', anAnswer('each', '[{{#llm.text#}}]')),
        anAnswer('answer', ' = {{#it.output#}}'),
      ],
      edges('start>it', 'itstart>llm', 'llm>each', 'it>answer'),
    )
    const model = aSpyModel(({ messages }) => [...(messages[0]?.text ?? '')])
    const { text, ending } = await run(aJob('advanced-chat', { workflow }, { inputs: { list: ['ab', 'cd'] } }), {
      model,
    })
    expect(text).to.equal('[ab][cd] = ["ab","cd"]')
    expect(ending).to.deep.include({ answer: text })
    expect(ending.usage.totalTokens).to.equal(10)
  })

  it('holds iterations of its own', async () => {
    const workflow = aWorkflow(
      [
        aStart(),
        anIteration({ output_selector: ['in', 'output'], flatten_output: false }),
        inside('it', anIteration({ iterator_selector: ['it', 'item'], start_node_id: 'work' }, 'in')),
        inside('in', work('work', ['in', 'item'])),
        anEnd('end', 'it.output'),
      ],
      edges('start>it', 'it>end'),
    )
    expect(outputOf(await iterate([[1, 2], [3]], (x) => Number(x) + 1, workflow))).to.deep.equal([[2, 3], [4]])
  })

  it('H11 is stopped with everything inside of it', async () => {
    const stop = new AbortController()
    const code = {
      ...noPython,
      runJavaScript: async () => {
        stop.abort('user')
        return new Promise<never>(() => {})
      },
    }
    const job = aJob('workflow', { workflow: iterating() }, { inputs: { list: [1, 2] } })
    const { ending, path } = await outcomeOf(aRunner({ code }).run(job, stop.signal))
    expect(ending.kind).to.equal('stopped')
    expect(path.slice(-3)).to.deep.equal(['node_finished:work', 'iteration_completed:it', 'stopped'])
  })

  it('is refused before the run when it is empty, or holds what cannot be run', async () => {
    const reasons = async (workflow: JsonObject) => {
      const { app, definition } = aJob('workflow', { workflow })
      const preflight = await aRunner().preflight(app, definition)
      return preflight.ok || preflight.reason !== 'nodes' ? [] : preflight.issues.map(({ node }) => node)
    }
    expect(await reasons(aWorkflow([aStart(), anIteration()], edges('start>it')))).to.deep.equal(['it'])
    expect(await reasons(iterating({}, [inside('it', aNode('odd', 'tool'))], ['work>odd']))).to.deep.equal(['odd'])
    expect(await reasons(iterating())).to.deep.equal([])
  })
})

describe('loop', () => {
  const plus = (value: Json): JsonObject => ({
    items: [{ variable_selector: ['loop', 'n'], operation: '+=', input_type: 'constant', value }],
  })
  const aLoop = (data: JsonObject) =>
    aNode('loop', 'loop', {
      loop_count: 10,
      loop_variables: [{ label: 'n', var_type: 'number', value_type: 'constant', value: '1' }],
      start_node_id: 'loopstart',
      ...data,
    })
  const until = (operator: string, value: string, selector: readonly string[] = ['loop', 'n']): JsonObject => ({
    break_conditions: [{ variable_selector: selector, comparison_operator: operator, value }],
    logical_operator: 'and',
  })
  function looping(data: JsonObject, more: readonly JsonObject[] = [], connected: readonly string[] = []): JsonObject {
    return aWorkflow(
      [
        aStart(),
        aLoop(data),
        inside('loop', aNode('loopstart', 'loop-start')),
        inside('loop', aNode('add', 'assigner', plus(1))),
        ...more,
        anEnd('end', 'loop.n', 'loop.loop_round'),
      ],
      edges('start>loop', 'loopstart>add', 'loop>end', ...connected),
    )
  }
  const outputsOf = async (workflow: JsonObject, inputs: JsonObject = {}) => {
    const { ending } = await run(aJob('workflow', { workflow }, { inputs }))
    return ending.kind === 'succeeded' ? ending.outputs : ending.kind
  }

  it('repeats until its condition holds, on variables that last', async () => {
    expect(await outputsOf(looping(until('≥', '5')))).to.deep.equal({ n: 5, loop_round: 4 })
  })

  it('does not begin when its condition holds already', async () => {
    expect(await outputsOf(looping(until('≥', '1')))).to.deep.equal({ n: 1, loop_round: 0 })
  })

  it('ends after as many rounds as it may have, whatever its condition says', async () => {
    expect(await outputsOf(looping({ ...until('≥', '500'), loop_count: 3 }))).to.deep.equal({ n: 4, loop_round: 3 })
    expect(await outputsOf(looping({ loop_count: 1_000_000 }))).to.deep.equal({ n: 101, loop_round: 100 })
  })

  it('takes variables from the graph around it', async () => {
    const variable = { label: 'n', var_type: 'number', value_type: 'variable', value: ['start', 'from'] }
    const data = { ...until('≥', '5'), loop_variables: [variable] }
    expect(await outputsOf(looping(data), { from: 3 })).to.deep.equal({ n: 5, loop_round: 2 })
  })

  it('ends at a loop end', async () => {
    const workflow = looping({}, [inside('loop', aNode('stop', 'loop-end'))], ['add>stop'])
    expect(await outputsOf(workflow)).to.deep.equal({ n: 2, loop_round: 1 })
  })

  it('reads what its insides said in its condition, and forgets it before the next round', async () => {
    const seen: Json[] = []
    const code = codeTable({
      look: ({ before = null }) => {
        seen.push(before)
        return { out: seen.length === 2 ? 'stop' : 'on' }
      },
    })
    const look = aCode('look', 'look', { variables: [{ variable: 'before', value_selector: ['look', 'out'] }] })
    const workflow = looping(until('is', 'stop', ['look', 'out']), [inside('loop', look)], ['add>look'])
    const { ending } = await run(aJob('workflow', { workflow }), { code })
    expect(ending.outputs).to.deep.equal({ n: 3, loop_round: 2 })
    expect(seen).to.deep.equal([null, null])
  })

  it('names itself in the steps of its insides', async () => {
    const { path, steps } = await run(aJob('workflow', { workflow: looping({ loop_count: 1 }) }))
    expect(path.slice(3, 9)).to.deep.equal([
      'loop_started:loop',
      'loop_next:loop',
      'node_started:loopstart',
      'node_finished:loopstart',
      'node_started:add',
      'node_finished:add',
    ])
    expect(steps.find((step) => step.kind === 'node_started' && step.nodeId === 'add')).to.deep.include({
      loopId: 'loop',
    })
  })

  it('fails when its insides fail, or its condition cannot be read', async () => {
    expect(await outputsOf(looping({}, [inside('loop', aCode('bad', 'bad'))], ['add>bad']))).to.equal('failed')
    const text = { label: 'n', var_type: 'string', value_type: 'constant', value: 'many' }
    expect(await outputsOf(looping({ ...until('≥', '5'), loop_variables: [text] }))).to.equal('failed')
  })
})

describe('scheduler of containers', () => {
  function aGraph(workflow: JsonObject): Graph {
    const graph = buildGraph(workflow)
    if (graph === null) throw new Error('no start')
    return graph
  }
  const done = (scope: number, nodeId: string): SchedulerEvent => ({
    kind: 'node_succeeded',
    scope,
    nodeId,
    outputs: {},
    handles: null,
  })
  const opened = (parallel: number, rounds: number): SchedulerEvent => ({
    kind: 'container_opened',
    scope: 0,
    nodeId: 'it',
    plan: { kind: 'iteration', rounds, parallel, onError: 'terminate' },
  })
  const graph = aGraph(iterating())
  const events: readonly SchedulerEvent[] = [
    { kind: 'start' },
    done(0, 'start'),
    opened(2, 3),
    done(2, 'itstart'),
    done(1, 'itstart'),
    done(2, 'work'),
    done(3, 'itstart'),
    done(1, 'work'),
    done(3, 'work'),
    done(0, 'it'),
    done(0, 'end'),
  ]

  it('goes on the same after a stop anywhere within a round, from nothing but JSON', () => {
    const live = openScheduler(graph)
    const straight = events.map((event) => [...live.advance(event)])
    expect(straight.at(-1)?.at(-1)).to.deep.include({ kind: 'finish', outcome: 'succeeded' })
    let state = INITIAL_STATE
    const resumed: SchedulerCommand[][] = []
    for (const event of events) {
      const advanced = advance(graph, JSON.parse(JSON.stringify(state)), event)
      state = advanced.state
      resumed.push([...advanced.commands])
    }
    expect(resumed).to.deep.equal(straight)
  })

  it('changes nothing for what comes from a round that is over', () => {
    const scheduler = openScheduler(graph)
    for (const event of events.slice(0, 6)) scheduler.advance(event)
    const before = JSON.stringify(scheduler.state())
    expect(scheduler.advance(done(2, 'work'))).to.deep.equal([])
    expect(scheduler.advance(done(99, 'work'))).to.deep.equal([])
    expect(JSON.stringify(scheduler.state())).to.equal(before)
  })

  it('keeps nothing of rounds that are over', () => {
    const scheduler = openScheduler(graph)
    for (const event of events.slice(0, 9)) scheduler.advance(event)
    expect(Object.keys(scheduler.state().scopes)).to.deep.equal(['0'])
  })

  it('looks at each edge a few times only, however long the graph is', () => {
    const lookUpsOf = (length: number) => {
      const names = Array.from({ length }, (_, at) => `n${at}`)
      const chain = aGraph(
        aWorkflow(
          [aStart(), ...names.map((id) => aCode(id, ''))],
          edges('start>n0', ...names.slice(1).map((id, at) => `n${at}>${id}`)),
        ),
      )
      let lookUps = 0
      const counted = <V>(map: ReadonlyMap<string, V>): ReadonlyMap<string, V> =>
        new Proxy(map, {
          get(target, key) {
            lookUps += 1
            const value: unknown = Reflect.get(target, key)
            return typeof value === 'function' ? value.bind(target) : value
          },
        })
      const { nodes, outgoing, incoming } = chain
      const spied = { ...chain, nodes: counted(nodes), outgoing: counted(outgoing), incoming: counted(incoming) }
      const scheduler = openScheduler(spied)
      scheduler.advance({ kind: 'start' })
      for (const id of ['start', ...names]) scheduler.advance(done(0, id))
      expect(scheduler.isOver()).to.equal(true)
      return lookUps
    }
    expect(lookUpsOf(400) / lookUpsOf(100)).to.be.closeTo(4, 0.2)
  })
})
