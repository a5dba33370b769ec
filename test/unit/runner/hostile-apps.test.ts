import { expect } from 'chai'
import { readReasoning } from '#adapters/runner-native/agent/react-words.ts'
import { EgressFailure, type HttpEgress } from '#adapters/runner-native/egress/http-egress.ts'
import { newStream, tell } from '#adapters/runner-native/graph/answer-stream.ts'
import { buildGraph } from '#adapters/runner-native/graph/graph.ts'
import { planStream } from '#adapters/runner-native/graph/stream-plan.ts'
import { collectCalls } from '#adapters/runner-native/models/collect-calls.ts'
import { saidJson } from '#adapters/runner-native/models/said-json.ts'
import { compare } from '#adapters/runner-native/nodes/comparison.ts'
import { jsonText } from '#adapters/runner-native/nodes/http-json.ts'
import type { Json, JsonObject } from '#domain/app.ts'
import { aJob, codeTable, run } from './support.ts'
import { aBranch, aCode, aNode, anAnswer, anEnd, anLlm, aStart, aWorkflow, edges, inside } from './workflow.ts'

const HUGE = Array.from({ length: 100_000 }, (_, at) => at)
/** Nobody waits longer for an app that means no good. */
const PATIENCE_MS = 10_000

/** start > the node > end; the scripted model answers. */
const around = (node: JsonObject, ...more: readonly JsonObject[]) =>
  aWorkflow([aStart(), node, ...more, anEnd('end', 'node.out')], edges('start>node', 'node>end'), {
    conversation_variables: [{ name: 'list', value_type: 'array[number]', value: [] }],
  })
const ghost = ['ghost', 'nothing']
const egress: HttpEgress = {
  request: async ({ url }) => {
    throw new EgressFailure('refused', `"${url}" is no address`)
  },
}

describe('apps that mean no good', function () {
  this.timeout(PATIENCE_MS)

  describe('selectors that lead nowhere', () => {
    const nodes: Readonly<Record<string, JsonObject>> = {
      'if-else': {
        ...aBranch('node', 'nothing', 'contains', 'x'),
      },
      code: aCode('node', 'same', { variables: [{ variable: 'x', value_selector: ghost }] }),
      llm: anLlm('node', '{{#ghost.nothing#}} {{#.#}} {{##}}', {
        memory: null,
        context: { enabled: true, variable_selector: ghost },
      }),
      'template-transform': aNode('node', 'template-transform', {
        template: '{{ x }}',
        variables: [{ variable: 'x', value_selector: ghost }],
      }),
      'variable-aggregator': aNode('node', 'variable-aggregator', { variables: [ghost, [], ['ghost']] }),
      assigner: aNode('node', 'assigner', {
        version: '2',
        items: [{ variable_selector: ghost, operation: 'over-write', input_type: 'variable', value: ghost }],
      }),
      'list-operator': aNode('node', 'list-operator', { variable: ghost }),
      iteration: aNode('node', 'iteration', {
        iterator_selector: ghost,
        output_selector: ghost,
        start_node_id: 'ghost',
      }),
      loop: aNode('node', 'loop', {
        loop_count: 3,
        start_node_id: 'ghost',
        break_conditions: [{ variable_selector: ghost, comparison_operator: '=', value: '1' }],
      }),
      'document-extractor': aNode('node', 'document-extractor', { variable_selector: ghost }),
      'http-request': aNode('node', 'http-request', {
        method: 'get',
        url: '{{#ghost.nothing#}}',
        headers: '',
        params: '',
        body: { type: 'none', data: [] },
        authorization: { type: 'no-auth' },
      }),
      'question-classifier': aNode('node', 'question-classifier', {
        query_variable_selector: ghost,
        classes: [{ id: '1', name: 'a' }],
        model: { name: 'm', completion_params: {} },
      }),
      'parameter-extractor': aNode('node', 'parameter-extractor', {
        query: ghost,
        parameters: [],
        model: { name: 'm', completion_params: {} },
      }),
      answer: anAnswer('node', '{{#ghost.nothing#}}'),
    }
    for (const [type, node] of Object.entries(nodes)) {
      it(`${type} ends the run, once, with or without a failure`, async () => {
        const code = codeTable({ same: ({ x = null }) => ({ out: x }) })
        const { ending } = await run(aJob('advanced-chat', { workflow: around(node) }, { query: 'q' }), {
          code,
          egress,
        })
        expect(ending.kind).to.be.oneOf(['succeeded', 'failed'])
        if (ending.kind === 'failed') expect(ending.failure.code).to.not.equal('internal_server_error')
      })
    }
  })

  describe('a list of a hundred thousand', () => {
    const nodes: Readonly<Record<string, JsonObject>> = {
      'list-operator': aNode('node', 'list-operator', {
        variable: ['start', 'list'],
        filter_by: { enabled: true, conditions: [{ key: '', comparison_operator: '>', value: '5' }] },
        order_by: { enabled: true, key: '', value: 'desc' },
      }),
      'template-transform': aNode('node', 'template-transform', {
        template: '{{ x }}',
        variables: [{ variable: 'x', value_selector: ['start', 'list'] }],
      }),
      'if-else': aBranch('node', 'list', 'contains', '99999'),
      code: aCode('node', 'same', {
        variables: [{ variable: 'x', value_selector: ['start', 'list'] }],
        outputs: { out: { type: 'array[number]' } },
      }),
      'variable-aggregator': aNode('node', 'variable-aggregator', { variables: [['start', 'list']] }),
      answer: anAnswer('node', '{{#start.list#}}'),
    }
    for (const [type, node] of Object.entries(nodes)) {
      it(`${type} takes it, or says in one sentence that it does not`, async () => {
        const code = codeTable({ same: ({ x = null }) => ({ out: x }) })
        const startedAtMs = performance.now()
        const job = aJob('advanced-chat', { workflow: around(node) }, { query: 'q', inputs: { list: HUGE } })
        const { ending } = await run(job, { code })
        expect(performance.now() - startedAtMs).to.be.below(PATIENCE_MS / 2)
        expect(ending.kind).to.be.oneOf(['succeeded', 'failed'])
        if (ending.kind === 'failed') expect(ending.failure.message.length).to.be.below(500)
      })
    }
  })

  it('a loop that feeds on its own list ends at its bound', async () => {
    const double = aNode('grow', 'assigner', {
      version: '2',
      items: [
        {
          variable_selector: ['conversation', 'list'],
          operation: 'extend',
          input_type: 'variable',
          value: ['conversation', 'list'],
        },
      ],
    })
    const workflow = aWorkflow(
      [
        aStart(),
        aNode('node', 'loop', { loop_count: 1_000_000, start_node_id: 'go', break_conditions: [] }),
        inside('node', aNode('go', 'loop-start')),
        inside('node', double),
        anEnd('end', 'conversation.list'),
      ],
      edges('start>node', 'go>grow', 'node>end'),
      { conversation_variables: [{ name: 'list', value_type: 'array[number]', value: [1, 2, 3] }] },
    )
    const { ending } = await run(aJob('advanced-chat', { workflow }, { query: 'q' }))
    expect(ending.kind).to.equal('failed')
    if (ending.kind === 'failed') expect(ending.failure.message).to.match(/list|large|long|items|characters/i)
  })

  describe('text made to be read slowly', () => {
    it('of a model: quotes without end around the name of a tool, and JSON whose quotes never close', () => {
      const quotes = '`'.repeat(1_000_000)
      expect(readReasoning(`Action: ${quotes}tool${quotes}x`, []).action?.name).to.equal(`tool${quotes}x`)
      expect(saidJson(`{${'"'.repeat(390_000)}`)).to.equal(undefined)
    })

    it('of an app and its caller: a body of broken JSON', () => {
      expect(() => jsonText({}, `{'a': ${'"'.repeat(1_000_000)}`)).to.throw('the body is no JSON')
      expect(jsonText({}, "{'a': 1,}")).to.equal('{"a": 1}')
    })

    it('of a file: containers and edges by the ten thousand', () => {
      const each = Array.from({ length: 20_000 }, (_, at) => at)
      const chain = each.slice(1).map((at) => `c${at - 1}>c${at}`)
      const containers = each.flatMap((at) => [aNode(`c${at}`, 'loop'), inside(`c${at}`, aNode(`i${at}`, 'code'))])
      const many = Array.from({ length: 20_000 }, (_, at) => inside('c0', aNode(`m${at}`, 'code')))
      const circle = many.map((_, at) => `m${at}>m${(at + 1) % many.length}`)
      const graph = buildGraph(aWorkflow([aStart(), ...many, ...containers], edges('start>c0', ...chain, ...circle)))
      expect(graph?.nodes.size).to.equal(20_001)
      expect(graph?.inner.get('c0')?.rootId).to.equal('i0')
    })
  })

  it('a model that calls tools without end is cut off, by arguments, names, ids or their number', () => {
    const half = 'x'.repeat(200_001)
    const pieces = {
      arguments: [{ id: 'a', function: { arguments: half } }, { function: { arguments: half } }],
      names: [{ id: 'a', function: { name: half } }, { function: { name: half } }],
      ids: [{ id: half }, { index: 1, id: half }],
      number: Array.from({ length: 33 }, (_, index) => ({ index, id: `${index}` })),
    }
    for (const [what, told] of Object.entries(pieces)) {
      const calls = collectCalls()
      for (const piece of told.slice(0, -1)) calls.take(piece)
      expect(() => calls.take(told.at(-1) ?? {}), what).to.throw('The model calls more than it may.')
    }
  })

  it('a list that is compared with another as long is refused, and not with what takes no time', async () => {
    const names = Array.from({ length: 100_000 }, (_, at) => `n${at}`)
    const filtering = (comparison_operator: string, value: Json) =>
      aNode('node', 'list-operator', {
        variable: ['start', 'list'],
        filter_by: { enabled: true, conditions: [{ key: '', comparison_operator, value }] },
      })
    const endingOf = async (node: JsonObject) => {
      const workflow = aWorkflow([aStart(), node, anEnd('end', 'node.result')], edges('start>node', 'node>end'))
      const { ending } = await run(aJob('workflow', { workflow }, { inputs: { list: names } }))
      return ending.kind === 'failed' ? ending.failure.message : ending.outputs.result
    }
    for (const value of [names.join(','), JSON.stringify(names), names]) {
      expect(await endingOf(filtering('in', value))).to.equal('there is too much to compare')
    }
    expect(await endingOf(filtering('in', 'n7,n9'))).to.deep.equal(['n7', 'n9'])
    expect(() => compare('all of', names, names.join(','))).to.throw('too much to compare')
    expect(compare('all of', names, 'n1,n2')).to.equal(true)
  })

  it('answers by the ten thousand, behind a way as long, are looked for in one walk', () => {
    const each = Array.from({ length: 20_000 }, (_, at) => at)
    const nodes = [
      ...each.map((at) => aNode(`t${at}`, 'template-transform')),
      ...each.map((at) => anAnswer(`a${at}`, 'x')),
    ]
    const way = [
      'start>b',
      'b:false>t0',
      ...each.slice(1).map((at) => `t${at - 1}>t${at}`),
      ...each.map((at) => `t19999>a${at}`),
    ]
    const graph = buildGraph(aWorkflow([aStart(), aBranch('b', 'x', 'is', 'y'), ...nodes], edges(...way)))
    if (graph === null) throw new Error('there is a start')
    const state = newStream()
    expect(tell(planStream(graph), state, { kind: 'edges', edges: new Map() }, () => '')).to.deep.equal([])
    expect(state.open).to.deep.equal([])
    tell(planStream(graph), state, { kind: 'edges', edges: new Map([['e1', 'taken']]) }, () => '')
    expect(Object.keys(state.known)).to.have.length(20_000)
  })

  it('an edge to itself, to nowhere, and from nowhere changes nothing for the rest', async () => {
    const workflow = aWorkflow([aStart(), anEnd('end', 'start.a')], [
      ...edges('start>end', 'ghost>end', 'start>ghost', 'end>start'),
      { id: 'broken' },
    ] as readonly JsonObject[])
    const { ending } = await run(aJob('workflow', { workflow }, { inputs: { a: 'x' } as Record<string, Json> }))
    expect(ending.kind).to.be.oneOf(['succeeded', 'failed'])
  })
})
