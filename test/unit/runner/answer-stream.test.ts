import { expect } from 'chai'
import { newStream, type StreamEvent, tell } from '#adapters/runner-native/graph/answer-stream.ts'
import { buildGraph } from '#adapters/runner-native/graph/graph.ts'
import type { EdgeState } from '#adapters/runner-native/graph/scheduler-state.ts'
import { planStream } from '#adapters/runner-native/graph/stream-plan.ts'
import type { JsonObject } from '#domain/app.ts'
import { aBranch, anAnswer, anEnd, anLlm, aStart, aWorkflow, edges } from './workflow.ts'

/** What is told at each event; the state is cut down to JSON between events. */
function tellAll(workflow: JsonObject, events: readonly StreamEvent[], texts: Readonly<Record<string, string>> = {}) {
  const graph = buildGraph(workflow)
  if (graph === null) throw new Error('no start')
  const plan = planStream(graph)
  let state = newStream()
  return events.map((event) => {
    const told = tell(plan, state, event, (selector) => texts[selector.join('.')] ?? '')
    state = JSON.parse(JSON.stringify(state))
    return told.map(({ delta }) => delta).join('')
  })
}

/** Edges are named e0, e1, … in the order written. */
const know = (edges: Readonly<Record<string, EdgeState>> = {}): StreamEvent => ({
  kind: 'edges',
  edges: new Map(Object.entries(edges)),
})
const delta = (nodeId: string, text: string): StreamEvent => ({ kind: 'delta', nodeId, delta: text })
const settled = (nodeId: string, as: 'done' | 'skipped' = 'done'): StreamEvent => ({ kind: 'settled', nodeId, as })

const straight = aWorkflow(
  [aStart(), anLlm('one', 'hi'), anAnswer('answer', 'A: {{#one.text#}} (end)')],
  edges('start>one', 'one>answer'),
)
const branched = aWorkflow(
  [
    aStart(),
    aBranch('if', 'x', 'is', '1'),
    anLlm('one', 'hi'),
    anAnswer('yes', 'Y {{#one.text#}}'),
    anAnswer('no', 'N'),
  ],
  edges('start>if', 'if:yes>one', 'one>yes', 'if:false>no'),
)

describe('answer stream', () => {
  it('tells deltas live and in their place when nothing can keep the answer from coming', () => {
    const told = tellAll(straight, [know(), delta('one', 'a'), delta('one', 'b'), settled('one')])
    expect(told).to.deep.equal(['A: ', 'a', 'b', ' (end)'])
  })

  it('says nothing before the branch is decided, then what was kept', () => {
    const events = [
      know(),
      delta('one', 'early '),
      know({ e0: 'taken', e1: 'taken', e3: 'skipped' }),
      delta('one', 'late'),
    ]
    expect(tellAll(branched, events)).to.deep.equal(['', '', 'Y early ', 'late'])
  })

  it('never tells an answer whose branch was not chosen', () => {
    const events = [know({ e0: 'taken', e1: 'skipped', e2: 'skipped', e3: 'taken' }), settled('one', 'skipped')]
    expect(tellAll(branched, events).join('')).to.equal('N')
  })

  it('drops parts whose node was skipped, and waits for those that are not settled', () => {
    const workflow = aWorkflow(
      [aStart(), anLlm('one', ''), anLlm('two', ''), anAnswer('answer', '[{{#one.text#}}|{{#two.text#}}]')],
      edges('start>one', 'start>two', 'one>answer', 'two>answer'),
    )
    const events = [know(), settled('one', 'skipped'), delta('two', 'x'), settled('two')]
    expect(tellAll(workflow, events)).to.deep.equal(['[', '|', 'x', ']'])
  })

  it('keeps the second speaker quiet until the first is through, then replays it', () => {
    const workflow = aWorkflow(
      [
        aStart(),
        anLlm('one', ''),
        anLlm('two', ''),
        anAnswer('x', '1:{{#one.text#}};'),
        anAnswer('y', '2:{{#two.text#}};'),
      ],
      edges('start>one', 'start>two', 'one>x', 'two>y'),
    )
    const events = [know(), delta('two', 'b'), delta('one', 'a'), settled('two'), settled('one')]
    expect(tellAll(workflow, events)).to.deep.equal(['1:', '', 'a', '', ';2:b;'])
  })

  it('tells a value whole when its node did not stream it', () => {
    expect(tellAll(straight, [know(), settled('one')], { 'one.text': 'whole' })).to.deep.equal(['A: ', 'whole (end)'])
  })

  it('tells the outputs of an end node one a line', () => {
    const workflow = aWorkflow(
      [aStart(), anLlm('one', ''), anEnd('end', 'start.name', 'one.text')],
      edges('start>one', 'one>end'),
    )
    const events = [know(), settled('start'), delta('one', 'x'), settled('one')]
    expect(tellAll(workflow, events, { 'start.name': 'Ada' })).to.deep.equal(['', 'Ada\n', 'x', ''])
  })

  it('decides on a graph with 2^40 paths at once', () => {
    const layers = Array.from({ length: 40 }, (_, at) => at)
    const nodes = layers.flatMap((at) => [anLlm(`a${at}`, ''), anLlm(`b${at}`, '')])
    const wires = layers
      .slice(1)
      .flatMap((at) => [`a${at - 1}>a${at}`, `a${at - 1}>b${at}`, `b${at - 1}>a${at}`, `b${at - 1}>b${at}`])
    const workflow = aWorkflow(
      [aStart(), ...nodes, anAnswer('answer', 'ready')],
      edges('start>a0', 'start>b0', ...wires, 'a39>answer', 'b39>answer'),
    )
    expect(tellAll(workflow, [know()])).to.deep.equal(['ready'])
  })
})
