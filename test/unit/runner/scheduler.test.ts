import { expect } from 'chai'
import { buildGraph, type Graph } from '#adapters/runner-native/graph/graph.ts'
import { advance, MAX_PARALLEL } from '#adapters/runner-native/graph/scheduler.ts'
import type { SchedulerCommand, SchedulerEvent } from '#adapters/runner-native/graph/scheduler-events.ts'
import { INITIAL_STATE, type SchedulerState } from '#adapters/runner-native/graph/scheduler-state.ts'
import type { JsonObject } from '#domain/app.ts'
import { aBranch, aCode, anEnd, aStart, aWorkflow, edges } from './workflow.ts'

function aGraph(workflow: JsonObject): Graph {
  const graph = buildGraph(workflow)
  if (graph === null) throw new Error('no start')
  return graph
}

const done = (nodeId: string, handles: readonly string[] | null = null, scope = 0): SchedulerEvent => ({
  kind: 'node_succeeded',
  scope,
  nodeId,
  outputs: {},
  handles,
})
const failed = (nodeId: string, retryable = true, scope = 0): SchedulerEvent => ({
  kind: 'node_failed',
  scope,
  nodeId,
  error: 'boom',
  errorType: 'Boom',
  retryable,
})

/** Plays events; after each the state is cut down to JSON and read back. */
function play(graph: Graph, events: readonly SchedulerEvent[], from: SchedulerState = INITIAL_STATE) {
  let state = from
  const log: SchedulerCommand[][] = []
  for (const event of events) {
    const advanced = advance(graph, state, event)
    state = JSON.parse(JSON.stringify(advanced.state))
    log.push([...advanced.commands])
  }
  return { state, log, runs: log.map((commands) => commands.flatMap((c) => (c.kind === 'run_node' ? [c.nodeId] : []))) }
}

const start: SchedulerEvent = { kind: 'start' }
const diamond = aGraph(
  aWorkflow(
    [aStart(), aCode('a', ''), aCode('b', ''), aCode('join', ''), anEnd('end')],
    edges('start>a', 'start>b', 'a>join', 'b>join', 'join>end'),
  ),
)
const branched = aGraph(
  aWorkflow(
    [aStart(), aBranch('if', 'x', 'is', '1'), aCode('a', ''), aCode('a2', ''), aCode('b', ''), anEnd('end')],
    edges('start>if', 'if:yes>a', 'a>a2', 'if:false>b', 'a2>end', 'b>end'),
  ),
)

describe('graph scheduler', () => {
  it('runs branches in parallel and a join once, after the last of them', () => {
    const { runs, log } = play(diamond, [start, done('start'), done('b'), done('a'), done('join'), done('end')])
    expect(runs).to.deep.equal([['start'], ['a', 'b'], [], ['join'], ['end'], []])
    expect(log.at(-1)?.at(-1)).to.deep.include({ kind: 'finish', outcome: 'succeeded' })
  })

  it('skips what a branch does not choose, and does not wait for it at the join', () => {
    const { runs, log } = play(branched, [start, done('start'), done('if', ['false']), done('b')])
    expect(runs).to.deep.equal([['start'], ['if'], ['b'], ['end']])
    expect(log[2]?.filter(({ kind }) => kind === 'skip_node')).to.deep.equal([
      { kind: 'skip_node', scope: 0, nodeId: 'a' },
      { kind: 'skip_node', scope: 0, nodeId: 'a2' },
    ])
  })

  it('takes the second name of a case when no edge carries the first', () => {
    expect(play(branched, [start, done('start'), done('if', ['uuid', 'yes'])]).runs[2]).to.deep.equal(['a'])
  })

  it('names the node whose edge made the next one ready, and counts executions from 1', () => {
    const { log } = play(diamond, [start, done('start'), done('b'), done('a')])
    expect(log[3]?.at(-1)).to.deep.equal({
      kind: 'run_node',
      scope: 0,
      nodeId: 'join',
      predecessorNodeId: 'a',
      index: 4,
      attempt: 0,
    })
  })

  it('goes on the same after a stop anywhere, from nothing but JSON', () => {
    const events = [start, done('start'), done('if', ['yes']), done('a'), done('a2'), done('end')]
    let live = INITIAL_STATE
    const straight = events.map((event) => {
      const advanced = advance(branched, live, event)
      live = advanced.state
      return [...advanced.commands]
    })
    for (let cut = 0; cut <= events.length; cut++) {
      const first = play(branched, events.slice(0, cut))
      const second = play(branched, events.slice(cut), first.state)
      expect([...first.log, ...second.log]).to.deep.equal(straight)
    }
  })

  it('runs at most ten nodes at a time, and the rest as they end', () => {
    const names = Array.from({ length: 25 }, (_, at) => `n${at}`)
    const wide = aGraph(
      aWorkflow([aStart(), ...names.map((id) => aCode(id, ''))], edges(...names.map((id) => `start>${id}`))),
    )
    const { runs, state } = play(wide, [start, done('start'), done('n0'), done('n1')])
    expect(runs[1]).to.have.length(MAX_PARALLEL)
    expect([...(runs[2] ?? []), ...(runs[3] ?? [])]).to.deep.equal(['n10', 'n11'])
    expect(Object.keys(state.scopes[0]?.running ?? {})).to.have.length(MAX_PARALLEL)
  })

  it('stops at five hundred steps', () => {
    const names = Array.from({ length: 600 }, (_, at) => `n${at}`)
    const long = aGraph(
      aWorkflow(
        [aStart(), ...names.map((id) => aCode(id, ''))],
        edges('start>n0', ...names.slice(1).map((id, at) => `n${at}>${id}`)),
      ),
    )
    const { log } = play(long, [start, done('start'), ...names.slice(0, 499).map((id) => done(id))])
    expect(log.at(-1)?.at(-1)).to.deep.equal({
      kind: 'finish',
      outcome: 'failed',
      error: 'the run took more than 500 steps',
    })
  })

  it('ends a cycle with a clear failure instead of waiting for ever', () => {
    const cyclic = aGraph(
      aWorkflow([aStart(), aCode('a', ''), aCode('b', ''), anEnd('end')], edges('start>a', 'a>b', 'b>a', 'b>end')),
    )
    const { log } = play(cyclic, [start, done('start')])
    expect(log.at(-1)?.at(-1)).to.deep.include({ kind: 'finish', outcome: 'failed' })
    expect(JSON.stringify(log.at(-1))).to.include('cycle')
  })

  it('does not wait for nodes that nothing leads to', () => {
    const orphaned = aGraph(
      aWorkflow([aStart(), aCode('orphan', ''), anEnd('end')], edges('start>end', 'orphan>end', 'ghost>end')),
    )
    expect(play(orphaned, [start, done('start')]).runs[1]).to.deep.equal(['end'])
  })

  it('aborts the whole run, running branches too, when a node without a strategy fails', () => {
    const { log, state } = play(diamond, [start, done('start'), failed('a')])
    expect(log[2]?.map((command) => ('status' in command ? command.status : command.kind))).to.deep.equal([
      'failed',
      'stopped',
      'finish',
    ])
    expect(state.over).to.equal(true)
    expect(advance(diamond, state, done('b')).commands).to.deep.equal([])
  })

  it('takes the fail branch, and the run is then partly successful', () => {
    const graph = aGraph(
      aWorkflow(
        [aStart(), aCode('a', '', { error_strategy: 'fail-branch' }), aCode('good', ''), aCode('bad', '')],
        edges('start>a', 'a:success-branch>good', 'a:fail-branch>bad'),
      ),
    )
    const { runs, log } = play(graph, [start, done('start'), failed('a'), done('bad')])
    expect(runs[2]).to.deep.equal(['bad'])
    expect(log[2]?.[0]).to.deep.include({ status: 'exception', outputs: { error_message: 'boom', error_type: 'Boom' } })
    expect(log.at(-1)?.at(-1)).to.deep.include({ kind: 'finish', outcome: 'partial' })
    expect(play(graph, [start, done('start'), done('a')]).runs[2]).to.deep.equal(['good'])
  })

  it('goes on with default values', () => {
    const data = { error_strategy: 'default-value', default_value: [{ key: 'out', type: 'string', value: 'instead' }] }
    const graph = aGraph(aWorkflow([aStart(), aCode('a', '', data), anEnd('end')], edges('start>a', 'a>end')))
    const { runs, log } = play(graph, [start, done('start'), failed('a')])
    expect(runs[2]).to.deep.equal(['end'])
    expect(log[2]?.[0]).to.deep.include({ outputs: { out: 'instead', error_message: 'boom', error_type: 'Boom' } })
  })

  it('retries first, with the configured pause, and keeps the execution', () => {
    const data = { retry_config: { retry_enabled: true, max_retries: 2, retry_interval: 1500 } }
    const graph = aGraph(aWorkflow([aStart(), aCode('a', '', data), anEnd('end')], edges('start>a', 'a>end')))
    const due: SchedulerEvent = { kind: 'retry_due', scope: 0, nodeId: 'a' }
    const { log } = play(graph, [start, done('start'), failed('a'), due, failed('a'), due, failed('a')])
    expect(log[2]).to.deep.equal([
      {
        kind: 'retry_later',
        scope: 0,
        nodeId: 'a',
        predecessorNodeId: 'start',
        index: 2,
        attempt: 1,
        delayMs: 1500,
        error: 'boom',
      },
    ])
    expect(log[3]?.[0]).to.deep.include({ kind: 'run_node', index: 2, attempt: 1 })
    expect(log[6]?.at(-1)).to.deep.include({ kind: 'finish', outcome: 'failed' })
    expect(play(graph, [start, done('start'), failed('a', false)]).log[2]?.at(-1)).to.deep.include({ kind: 'finish' })
  })

  it('is cut from outside, and says so for every running node', () => {
    const { log } = play(diamond, [start, done('start'), { kind: 'cut', outcome: 'stopped', error: 'user' }])
    expect(log[2]?.map(({ kind }) => kind)).to.deep.equal(['settle_node', 'settle_node', 'finish'])
  })
})
