import { expect } from 'chai'
import { operate } from '#adapters/runner-native/nodes/assignment.ts'
import { NodeFailure } from '#adapters/runner-native/nodes/node-executor.ts'
import type { Json, JsonObject } from '#domain/app.ts'
import { aJob, codeTable, run } from './support.ts'
import { aCode, aNode, anAnswer, aStart, aWorkflow, edges, inARow } from './workflow.ts'

const conversation = (name: string, valueType: string, value: Json): JsonObject => ({
  conversation_variables: [{ name, value_type: valueType, value }],
})
const anAssigner = (id: string, ...items: readonly JsonObject[]) => aNode(id, 'assigner', { version: '2', items })
const item = (operation: string, value: Json, inputType = 'constant', name = 'v'): JsonObject => ({
  variable_selector: ['conversation', name],
  operation,
  input_type: inputType,
  value,
})

describe('assigner', () => {
  /** Operation, declared type, value before, input, value after. */
  const table: readonly (readonly [string, string, Json, Json, Json])[] = [
    ['over-write', 'string', 'a', 'b', 'b'],
    ['set', 'number', 1, 2, 2],
    ['set', 'object', {}, '{"a":1}', { a: 1 }],
    ['set', 'array[number]', [], '[1,2]', [1, 2]],
    ['clear', 'string', 'a', null, ''],
    ['clear', 'number', 3, null, 0],
    ['clear', 'object', { a: 1 }, null, {}],
    ['clear', 'array[string]', ['a'], null, []],
    ['clear', '', ['a'], null, []],
    ['append', 'array[string]', ['a'], 'b', ['a', 'b']],
    ['append', 'array[string]', null, 'b', ['b']],
    ['extend', 'array[number]', [1], [2, 3], [1, 2, 3]],
    ['remove-first', 'array[number]', [1, 2, 3], null, [2, 3]],
    ['remove-last', 'array[number]', [], null, []],
    ['+=', 'number', 1, 2, 3],
    ['-=', 'number', 1, '2', -1],
    ['*=', 'number', 3, 2, 6],
    ['/=', 'number', 3, 2, 1.5],
  ]
  for (const [operation, type, before, input, after] of table) {
    it(`${JSON.stringify(before)} ${operation} ${JSON.stringify(input)} is ${JSON.stringify(after)}`, () => {
      expect(operate(operation, type, before, () => input)).to.deep.equal(after)
    })
  }

  const refused: readonly (readonly [string, string, Json, Json])[] = [
    ['over-write', 'string', 'a', 1],
    ['append', 'array[string]', ['a'], 1],
    ['append', 'string', 'a', 'b'],
    ['extend', 'array[string]', ['a'], 'b'],
    ['/=', 'number', 3, 0],
    ['*=', 'number', 1e308, 1e308],
    ['+=', 'number', 3, 'many'],
    ['/=', 'integer', 3, 2],
    ['set', 'object', {}, 'no json'],
    ['constructor', 'string', 'a', 'b'],
  ]
  for (const [operation, type, before, input] of refused) {
    it(`refuses ${JSON.stringify(before)} ${operation} ${JSON.stringify(input)} in a variable of type ${type}`, () => {
      expect(() => operate(operation, type, before, () => input)).to.throw(NodeFailure)
    })
  }

  it('keeps what it assigned for the next turn of the conversation', async () => {
    const workflow = aWorkflow(
      [aStart(), anAssigner('set', item('over-write', ['sys', 'query'], 'variable')), anAnswer('answer', 'done')],
      edges('start>set', 'set>answer'),
      conversation('v', 'string', 'before'),
    )
    const saved: JsonObject[] = []
    const parts = {
      query: 'hello',
      saveVariables: async (variables: JsonObject) => {
        saved.push(variables)
      },
    }
    const { ending } = await run(aJob('advanced-chat', { workflow }, parts))
    expect(ending.kind).to.equal('succeeded')
    expect(saved).to.deep.equal([{ v: 'hello' }])
  })

  it('runs the first version of the node', async () => {
    const data = {
      assigned_variable_selector: ['conversation', 'v'],
      input_variable_selector: ['sys', 'query'],
      write_mode: 'append',
    }
    const workflow = aWorkflow(
      [aStart(), aNode('set', 'assigner', data), anAnswer('answer', '{{#conversation.v#}}')],
      edges('start>set', 'set>answer'),
      conversation('v', 'array[string]', ['a']),
    )
    expect((await run(aJob('advanced-chat', { workflow }, { query: 'b' }))).text).to.equal('["a","b"]')
  })

  it('applies items in turn, and is read by the answer after it and not before', async () => {
    const workflow = aWorkflow(
      [
        aStart(),
        aCode('wait', 'wait'),
        anAssigner('set', item('+=', 2), item('*=', 10)),
        anAnswer('answer', 'v={{#conversation.v#}}'),
      ],
      edges('start>wait', 'wait>set', 'set>answer'),
      conversation('v', 'number', 1),
    )
    const code = codeTable({ wait: () => ({ out: 'x' }) })
    expect((await run(aJob('advanced-chat', { workflow }), { code })).text).to.equal('v=30')
  })

  it('loses nothing when branches append at the same time', async () => {
    const names = ['a', 'b', 'c', 'd']
    const workflow = aWorkflow(
      [
        aStart(),
        ...names.map((name) => anAssigner(name, item('append', name))),
        anAnswer('answer', '{{#conversation.v#}}'),
      ],
      edges(...names.map((name) => `start>${name}`), ...names.map((name) => `${name}>answer`)),
      conversation('v', 'array[string]', []),
    )
    expect((await run(aJob('advanced-chat', { workflow }))).text).to.equal('["a","b","c","d"]')
  })

  it('changes nothing when one of its items fails', async () => {
    const assign = anAssigner('set', item('+=', 2), item('/=', 0))
    const failing = { ...assign, data: { ...(assign.data as JsonObject), error_strategy: 'default-value' } }
    const workflow = aWorkflow(
      [aStart(), failing, anAnswer('answer', '{{#conversation.v#}}')],
      edges('start>set', 'set>answer'),
      conversation('v', 'number', 1),
    )
    const { text, ending } = await run(aJob('advanced-chat', { workflow }))
    expect(text).to.equal('1')
    expect(ending.kind).to.equal('partial')
  })

  for (const selector of [
    ['sys', 'query'],
    ['env', 'e'],
    ['conversation', 'unknown'],
    ['conversation', 'v', 'deep'],
  ]) {
    it(`refuses to assign ${selector.join('.')}`, async () => {
      const workflow = aWorkflow(
        [aStart(), anAssigner('set', { ...item('set', 'x'), variable_selector: selector })],
        edges('start>set'),
        {
          ...conversation('v', 'object', {}),
          environment_variables: [{ name: 'e', value: 'x' }],
        },
      )
      const { ending } = await run(aJob('advanced-chat', { workflow }))
      expect(ending).to.deep.include({ kind: 'failed' })
    })
  }

  it('refuses a variable of more than 200 KiB', async () => {
    const workflow = aWorkflow(
      [aStart(), anAssigner('set', item('set', 'x'.repeat(204_801)))],
      edges('start>set'),
      conversation('v', 'string', ''),
    )
    const { ending } = await run(aJob('advanced-chat', { workflow }))
    expect(ending.kind === 'failed' && ending.failure.message).to.include('204800 characters')
  })
})

describe('list operator', () => {
  const file = (name: string, size: number): JsonObject => ({
    type: 'document',
    transfer_method: 'remote_url',
    related_id: null,
    url: `https://x.test/${name}`,
    name,
    size,
    extension: name.slice(name.lastIndexOf('.')),
  })
  async function operated(list: Json, data: JsonObject): Promise<JsonObject> {
    const workflow = inARow(
      aNode('list', 'list-operator', { variable: ['start', 'list'], ...data }),
      aNode('end', 'end', {
        outputs: ['result', 'first_record', 'last_record'].map((name) => ({
          variable: name,
          value_selector: ['list', name],
        })),
      }),
    )
    const { ending } = await run(aJob('workflow', { workflow }, { inputs: { list, at: '2' } }))
    return ending.kind === 'succeeded' ? ending.outputs : { failed: true }
  }
  const where = (operator: string, value: Json, key = ''): JsonObject => ({
    filter_by: { enabled: true, conditions: [{ key, comparison_operator: operator, value }] },
  })

  it('filters, orders and cuts, each only where it is asked to', async () => {
    const all = {
      ...where('>', '1'),
      order_by: { enabled: true, key: '', value: 'desc' },
      limit: { enabled: true, size: 2 },
    }
    expect(await operated([1, 3, 10, 2], all)).to.deep.equal({ result: [10, 3], first_record: 10, last_record: 3 })
    expect(await operated([1, 3], {})).to.deep.equal({ result: [1, 3], first_record: 1, last_record: 3 })
    expect(await operated([], {})).to.deep.equal({ result: [], first_record: null, last_record: null })
  })

  it('takes the item that a variable names, counted from one', async () => {
    const nth = { extract_by: { enabled: true, serial: '{{#start.at#}}' } }
    expect(await operated(['a', 'b'], nth)).to.deep.include({ result: ['b'] })
    expect(await operated(['a'], nth)).to.deep.equal({ failed: true })
  })

  it('filters and orders files by their attributes', async () => {
    const files = [file('b.pdf', 2), file('a.txt', 1), file('c.pdf', 3)]
    const pdf = { ...where('in', ['.pdf'], 'extension'), order_by: { enabled: true, key: 'size', value: 'desc' } }
    expect((await operated(files, pdf)).result).to.deep.equal([files[2], files[0]])
  })

  it('fails on what is no list, and on what cannot be compared', async () => {
    expect(await operated('text', {})).to.deep.equal({ failed: true })
    expect(await operated(['text'], where('>', '1'))).to.deep.equal({ failed: true })
  })
})
