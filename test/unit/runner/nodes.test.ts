import { expect } from 'chai'
import { declaredOutputs } from '#adapters/runner-native/code/declared-outputs.ts'
import { fillTemplate, textOf } from '#adapters/runner-native/graph/variable-pool.ts'
import { DEFAULT_LIMITS } from '#adapters/runner-native/limits.ts'
import { ComparisonFault, compare } from '#adapters/runner-native/nodes/comparison.ts'
import type { Json, JsonObject } from '#domain/app.ts'
import { aJob, aSpyModel, codeTable, run } from './support.ts'
import { aCode, aNode, anAnswer, anEnd, anLlm, aStart, aWorkflow, edges, inARow } from './workflow.ts'

describe('comparisons', () => {
  /** Operator, value, expected, verdict. */
  const table: readonly (readonly [string, Json, Json, boolean])[] = [
    ['contains', 'hello', 'ell', true],
    ['contains', ['a', 'b'], 'b', true],
    ['contains', '', '', false],
    ['contains', null, 'x', false],
    ['not contains', 'hello', 'x', true],
    ['not contains', ['a'], 'a', false],
    ['not contains', null, 'x', true],
    ['start with', 'hello', 'he', true],
    ['start with', '', 'h', false],
    ['end with', 'hello', 'lo', true],
    ['end with', 'hello', 'l', false],
    ['is', 'a', 'a', true],
    ['is', 5, '5', true],
    ['is', true, 'true', true],
    ['is', true, true, true],
    ['is', false, 'true', false],
    ['is', null, '', false],
    ['is not', 'a', 'b', true],
    ['is not', 'a', 'a', false],
    ['empty', '', null, true],
    ['empty', null, null, true],
    ['empty', [], null, true],
    ['empty', {}, null, true],
    ['empty', 'x', null, false],
    ['not empty', ['x'], null, true],
    ['not empty', '', null, false],
    ['in', 'a', ['a', 'b'], true],
    ['in', 'a', 'b, a', true],
    ['in', 'a', '["a"]', true],
    ['in', 'c', ['a', 'b'], false],
    ['in', '', [''], false],
    ['not in', 'c', ['a', 'b'], true],
    ['not in', 'a', ['a'], false],
    ['all of', ['a', 'b', 'c'], ['a', 'c'], true],
    ['all of', ['a'], ['a', 'c'], false],
    ['=', 5, '5', true],
    ['=', '5.0', '5', true],
    ['=', null, '5', false],
    ['≠', 5, '6', true],
    ['≠', 5, '5', false],
    ['>', 10, '9', true],
    ['>', '10', '9', true],
    ['>', 9, '9', false],
    ['<', 8, '9', true],
    ['<', 9, '9', false],
    ['≥', 9, '9', true],
    ['≥', 8, '9', false],
    ['≤', 9, '9', true],
    ['≤', 10, '9', false],
    ['null', null, null, true],
    ['null', '', null, false],
    ['not null', '', null, true],
    ['not null', null, null, false],
    ['exists', 'x', null, true],
    ['exists', null, null, false],
    ['not exists', null, null, true],
    ['not exists', 'x', null, false],
  ]
  for (const [operator, actual, expected, verdict] of table) {
    it(`${JSON.stringify(actual)} ${operator} ${JSON.stringify(expected)} is ${verdict}`, () => {
      expect(compare(operator, actual, expected)).to.equal(verdict)
    })
  }

  it('know every operator of the format', () => {
    expect(new Set(table.map(([operator]) => operator))).to.have.length(21)
  })

  it('refuse what cannot be compared', () => {
    expect(() => compare('>', 'many', '5')).to.throw(ComparisonFault)
    expect(() => compare('>', 5, '')).to.throw(ComparisonFault)
    expect(() => compare('constructor', 5, '')).to.throw(ComparisonFault)
  })
})

describe('if-else', () => {
  async function handleOf(
    data: JsonObject,
    inputs: JsonObject,
    handles: readonly string[],
  ): Promise<string | undefined> {
    const workflow = aWorkflow(
      [aStart(), aNode('if', 'if-else', data), ...handles.map((handle) => anEnd(`to-${handle}`))],
      edges('start>if', ...handles.map((handle) => `if:${handle}>to-${handle}`)),
    )
    const { path } = await run(aJob('workflow', { workflow }, { inputs }))
    return path.find((step) => step.startsWith('node_started:to-'))?.slice('node_started:to-'.length)
  }
  const is = (name: string, value: Json) => ({
    variable_selector: ['start', name],
    comparison_operator: 'is',
    value,
  })

  it('chooses the first case that holds, else false', async () => {
    const data = {
      cases: [
        { case_id: 'one', logical_operator: 'and', conditions: [is('a', '1'), is('b', '1')] },
        { case_id: 'two', logical_operator: 'or', conditions: [is('a', '1'), is('b', '1')] },
      ],
    }
    const choose = (a: string, b: string) => handleOf(data, { a, b }, ['one', 'two', 'false'])
    expect(await choose('1', '1')).to.equal('one')
    expect(await choose('0', '1')).to.equal('two')
    expect(await choose('0', '0')).to.equal('false')
  })

  it('follows edges that name a case by its id instead of its case_id', async () => {
    const data = { cases: [{ case_id: 'a', id: 'b', logical_operator: 'and', conditions: [is('a', '1')] }] }
    expect(await handleOf(data, { a: '1' }, ['b', 'false'])).to.equal('b')
  })

  it('reads the oldest layout, which has no cases', async () => {
    const data = { logical_operator: 'and', conditions: [is('a', '1')] }
    expect(await handleOf(data, { a: '1' }, ['true', 'false'])).to.equal('true')
    expect(await handleOf(data, { a: '2' }, ['true', 'false'])).to.equal('false')
  })

  it('fills variables into the value that is compared with', async () => {
    const data = { cases: [{ case_id: 'x', logical_operator: 'and', conditions: [is('a', '{{#start.b#}}!')] }] }
    expect(await handleOf(data, { a: 'k!', b: 'k' }, ['x', 'false'])).to.equal('x')
  })

  it('looks into lists of files, with or without the dot of an extension', async () => {
    const file = (extension: string) => ({
      type: 'document',
      transfer_method: 'remote_url',
      related_id: null,
      extension,
    })
    const condition = (operator: string) => ({
      cases: [
        {
          case_id: 'x',
          logical_operator: 'and',
          conditions: [
            {
              variable_selector: ['start', 'files'],
              comparison_operator: operator,
              sub_variable_condition: {
                logical_operator: 'and',
                conditions: [{ key: 'extension', comparison_operator: 'is', value: 'pdf' }],
              },
            },
          ],
        },
      ],
    })
    const files = [file('.pdf'), file('.txt')]
    expect(await handleOf(condition('contains'), { files }, ['x', 'false'])).to.equal('x')
    expect(await handleOf(condition('all of'), { files }, ['x', 'false'])).to.equal('false')
    expect(await handleOf(condition('not contains'), { files: [file('.txt')] }, ['x', 'false'])).to.equal('x')
  })

  it('ends its path when the chosen branch leads nowhere', async () => {
    const data = { cases: [{ case_id: 'x', logical_operator: 'and', conditions: [is('a', '1')] }] }
    expect(await handleOf(data, { a: '1' }, ['false'])).to.equal(undefined)
  })
})

describe('variable aggregator', () => {
  const two = [aCode('a', 'a'), aCode('b', 'b')]
  const code = codeTable({ a: () => ({ out: 'A' }), b: () => ({ out: 'B' }) })
  const wires = edges('start>a', 'start>b', 'a>join', 'b>join', 'join>end')

  for (const type of ['variable-aggregator', 'variable-assigner']) {
    it(`gives the first variable that exists (${type})`, async () => {
      const join = aNode('join', type, {
        variables: [
          ['ghost', 'out'],
          ['b', 'out'],
          ['a', 'out'],
        ],
      })
      const workflow = aWorkflow([aStart(), ...two, join, anEnd('end', 'join.output')], wires)
      expect((await run(aJob('workflow', { workflow }), { code })).ending.outputs).to.deep.equal({ output: 'B' })
    })
  }

  it('does so for each of its groups', async () => {
    const groups = [
      { group_name: 'first', variables: [['a', 'out']] },
      {
        group_name: 'second',
        variables: [
          ['ghost', 'x'],
          ['b', 'out'],
        ],
      },
      { group_name: 'third', variables: [['ghost', 'x']] },
    ]
    const join = aNode('join', 'variable-aggregator', { advanced_settings: { group_enabled: true, groups } })
    const end = anEnd('end', 'join.first.output', 'join.second', 'join.third')
    const workflow = aWorkflow([aStart(), ...two, join, end], wires)
    expect((await run(aJob('workflow', { workflow }), { code })).ending.outputs).to.deep.equal({
      output: 'A',
      second: { output: 'B' },
      third: null,
    })
  })
})

describe('code outputs', () => {
  const check = (type: string, value: Json) =>
    declaredOutputs({ outputs: { out: { type } } }, { out: value }, DEFAULT_LIMITS)
  const fits: readonly (readonly [string, Json, Json])[] = [
    ['string', 'x', 1],
    ['number', 1.5, 'x'],
    ['number', true, '1'],
    ['boolean', false, 0],
    ['object', {}, []],
    ['array', [1], {}],
    ['array[string]', ['x', null], [1]],
    ['array[number]', [1], ['1']],
    ['array[object]', [{}], [[]]],
  ]
  for (const [type, good, bad] of fits) {
    it(`take ${JSON.stringify(good)} and refuse ${JSON.stringify(bad)} as ${type}`, () => {
      expect(check(type, good).ok).to.equal(true)
      expect(check(type, bad)).to.deep.include({ ok: false })
    })
  }

  it('are exactly the declared ones', () => {
    expect(declaredOutputs({ outputs: { out: { type: 'string' } } }, {}, DEFAULT_LIMITS)).to.deep.equal({
      ok: false,
      error: 'output "out" is missing',
    })
    expect(declaredOutputs({ outputs: {} }, { more: 1 }, DEFAULT_LIMITS)).to.deep.equal({
      ok: false,
      error: 'output "more" is not declared',
    })
    expect(declaredOutputs({}, [], DEFAULT_LIMITS)).to.deep.equal({ ok: false, error: 'main must return an object' })
    expect(check('string', null).ok).to.equal(true)
  })

  it('have limits of length, count, depth and range', () => {
    expect(check('string', 'x'.repeat(400_001)).ok).to.equal(false)
    expect(check('array[number]', Array(1001).fill(1)).ok).to.equal(false)
    expect(check('array[number]', Array(1000).fill(1)).ok).to.equal(true)
    expect(check('object', { a: { b: { c: { d: { e: 1 } } } } }).ok).to.equal(false)
    expect(check('number', 2 ** 63).ok).to.equal(false)
  })
})

describe('variables in texts', () => {
  const pool = {
    n: { s: 'text', o: { a: [1, 'ü'] }, z: null, f: 1.5, b: true },
    'a-b': { c: 'hyphen' },
    sys: { files: [] },
  }
  const file = {
    type: 'image',
    transfer_method: 'remote_url',
    related_id: null,
    name: 'a].png',
    url: 'https://example.org/a.png',
  }

  it('are words for text, JSON for the rest, nothing for null', () => {
    expect(fillTemplate(pool, '{{#n.s#}}|{{#n.o#}}|{{#n.z#}}|{{#n.f#}}|{{#n.b#}}')).to.equal(
      'text|{"a":[1,"ü"]}||1.5|true',
    )
  })

  it('reach into objects and lists, and into nodes with a hyphen in their id', () => {
    expect(fillTemplate(pool, '{{#n.o.a.1#}} {{#a-b.c#}} {{#sys.files#}}')).to.equal('ü hyphen ')
  })

  it('stay readable when they name nothing', () => {
    expect(fillTemplate(pool, '{{#n.ghost#}} {{#n.constructor#}} {{n.s}}')).to.equal('n.ghost n.constructor {{n.s}}')
  })

  it('show files as links', () => {
    expect(textOf(file)).to.equal('![a.png](https://example.org/a.png)')
    expect(textOf([file, { ...file, type: 'document' }])).to.equal(
      '![a.png](https://example.org/a.png)\n[a.png](https://example.org/a.png)',
    )
  })
})

describe('llm prompts', () => {
  async function promptOf(data: JsonObject, parts = {}, before: readonly JsonObject[] = []) {
    const model = aSpyModel(() => ['ok'])
    const workflow = inARow(...before, aNode('llm', 'llm', data), anAnswer('answer', '{{#llm.text#}}'))
    const job = aJob('advanced-chat', { workflow }, { query: 'now', ...parts })
    const code = codeTable({ found: () => ({ out: [{ content: 'first {{#sys.query#}}' }, { content: 'second' }] }) })
    const { ending } = await run(job, { model, code })
    return { asked: model.asked[0], ending }
  }
  const template = (...texts: readonly (readonly [string, string])[]) => texts.map(([role, text]) => ({ role, text }))
  const history = Array.from({ length: 3 }, (_, at) => ({ query: `q${at}`, answer: `a${at}` }))

  it('hold the template, then the memory, then the question; empty ones drop', async () => {
    const { asked } = await promptOf(
      {
        prompt_template: template(['system', 'You are {{#start.who#}}'], ['user', ' ']),
        memory: { window: { enabled: true, size: 2 } },
      },
      { history, inputs: { who: 'kind' } },
    )
    expect(asked?.messages.map(({ role, text }) => `${role}: ${text}`)).to.deep.equal([
      'system: You are kind',
      'user: q1',
      'assistant: a1',
      'user: q2',
      'assistant: a2',
      'user: now',
    ])
  })

  it('hold no history without a memory, and all of it without a window', async () => {
    const prompt_template = template(['user', 'x'])
    expect((await promptOf({ prompt_template }, { history })).asked?.messages).to.have.length(1)
    const memory = { window: { enabled: false, size: 1 }, query_prompt_template: 'Q: {{#sys.query#}}' }
    const { asked } = await promptOf({ prompt_template, memory }, { history })
    expect(asked?.messages).to.have.length(8)
    expect(asked?.messages.at(-1)?.text).to.equal('Q: now')
  })

  it('put what was found in the place of the context, without reading it as a template', async () => {
    const { asked, ending } = await promptOf(
      {
        prompt_template: template(['user', 'Use {{#context#}} for {{#sys.query#}}']),
        context: { enabled: true, variable_selector: ['found', 'out'] },
      },
      {},
      [aCode('found', 'found', { outputs: { out: { type: 'array[object]' } } })],
    )
    expect(asked?.messages[0]?.text).to.equal('Use first {{#sys.query#}}\nsecond for now')
    expect(ending.kind === 'succeeded' && ending.retrieverResources).to.have.length(2)
  })

  it('render Jinja when the author chose it', async () => {
    const { asked } = await promptOf(
      {
        prompt_template: [{ role: 'user', edition_type: 'jinja2', jinja2_text: 'Hi {{ who }}', text: 'unused' }],
        prompt_config: { jinja2_variables: [{ variable: 'who', value_selector: ['start', 'who'] }] },
      },
      { inputs: { who: 'Ada' } },
    )
    expect(asked?.messages[0]?.text).to.equal('Hi Ada')
  })

  it('carry pictures with the last question when the node can see', async () => {
    const file = { type: 'image', transferMethod: 'remote_url', url: 'https://example.org/a.png', name: null } as const
    const model = aSpyModel(() => ['ok'])
    const nodes = [aStart(), anLlm('llm', 'look', { vision: { enabled: true, configs: { detail: 'low' } } })]
    const job = aJob('advanced-chat', { workflow: aWorkflow(nodes, edges('start>llm')) }, { query: 'q' })
    await run({ ...job, request: { ...job.request, files: [file] } }, { model })
    expect(model.asked[0]?.messages[0]?.images).to.deep.equal([{ url: 'https://example.org/a.png', detail: 'low' }])
  })

  it('pass parameters on, with variables filled in', async () => {
    const completion_params = { temperature: 0.1, stop: ['{{#sys.query#}}'], enable_thinking: false }
    const { asked } = await promptOf({
      model: { name: 'm', completion_params },
      prompt_template: template(['user', 'x']),
    })
    expect(asked?.params).to.deep.equal({ temperature: 0.1, stop: ['now'], enable_thinking: false })
  })
})
