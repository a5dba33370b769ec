import { expect } from 'chai'
import { saidJson } from '#adapters/runner-native/models/said-json.ts'
import { schemaFault } from '#adapters/runner-native/models/schema-fault.ts'
import { createThinkingSplitter, splitThinking } from '#adapters/runner-native/models/split-thinking.ts'
import type { Json, JsonObject } from '#domain/app.ts'
import { aBrokenModel, aJob, aSpyModel, run } from './support.ts'
import { aNode, anAnswer, anEnd, anLlm, aStart, aWorkflow, edges, inARow } from './workflow.ts'

const THOUGHT = '<think>first\nthis</think>\n\nthen <b>that</b>'

describe('thinking', () => {
  it('is split from the answer wherever the tags are cut', () => {
    const whole = splitThinking(THOUGHT)
    expect(whole).to.deep.equal({ text: 'then <b>that</b>', reasoning: 'first\nthis' })
    for (let size = 1; size < THOUGHT.length; size++) {
      const splitter = createThinkingSplitter()
      let [text, reasoning] = ['', '']
      for (let at = 0; at < THOUGHT.length; at += size) {
        const piece = splitter.take(THOUGHT.slice(at, at + size))
        text += piece.text
        reasoning += piece.reasoning
      }
      const last = splitter.rest()
      expect({ text: text + last.text, reasoning: reasoning + last.reasoning }, `pieces of ${size}`).to.deep.equal(
        whole,
      )
    }
  })

  it('may never end, and a tag may never be finished', () => {
    expect(splitThinking('<think>on and on')).to.deep.equal({ text: '', reasoning: 'on and on' })
    expect(splitThinking('a <thi')).to.deep.equal({ text: 'a <thi', reasoning: '' })
  })

  it('stays in the text unless the node separates it', async () => {
    const told = async (format: string) => {
      const workflow = inARow(
        anLlm('llm', 'hi', { reasoning_format: format }),
        anAnswer('answer', '{{#llm.text#}}|{{#llm.reasoning_content#}}'),
      )
      const model = aSpyModel(() => [...THOUGHT])
      return (await run(aJob('advanced-chat', { workflow }), { model })).text
    }
    expect(await told('separated')).to.equal('then <b>that</b>|first\nthis')
    expect(await told('tagged')).to.equal(`${THOUGHT}|`)
  })
})

describe('JSON in an answer', () => {
  const table: readonly (readonly [answer: string, json: Json | undefined])[] = [
    ['{"a":1}', { a: 1 }],
    ['[1,2]', [1, 2]],
    ['Sure!\n```json\n{"a":1}\n```\nAnything else?', { a: 1 }],
    ['Here it is: {"a":{"b":2}} done', { a: { b: 2 } }],
    ['<think>{"a":0}</think>{"a":1}', { a: 1 }],
    ["{a: 'loose', b: True,}", { a: 'loose', b: true }],
    ['{"a": "cut off', { a: 'cut off' }],
    ['no json', undefined],
    ['', undefined],
    ['{'.repeat(200_000), undefined],
    // A model may say anything: none of it may hold the server up, or break whoever reads it later.
    [`\`\`\`${'\n'.repeat(300_000)}`, undefined],
    ['```'.repeat(100_000), undefined],
    [`${'['.repeat(100_000)}${']'.repeat(100_000)}`, undefined],
    [`${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`, undefined],
    ['<think>'.repeat(50_000), undefined],
  ]
  for (const [answer, json] of table) {
    it(`is ${JSON.stringify(json)} in ${JSON.stringify(answer.slice(0, 60))}`, () => {
      expect(saidJson(answer)).to.deep.equal(json)
    })
  }
})

describe('schemas of answers', () => {
  const schema: JsonObject = {
    type: 'object',
    properties: {
      name: { type: 'string' },
      tags: { type: 'array', items: { type: 'string' } },
      kind: { type: 'string', enum: ['a', 'b'] },
      age: { type: ['integer', 'null'] },
    },
    required: ['name'],
    additionalProperties: false,
  }
  const table: readonly (readonly [value: Json, fault: string | null])[] = [
    [{ name: 'x', tags: ['t'], kind: 'a', age: null }, null],
    [{ name: 'x', age: 3 }, null],
    [[], 'the value is not of type object'],
    [{}, 'name is missing'],
    [{ name: 1 }, 'name is not of type string'],
    [{ name: 'x', tags: ['t', 1] }, 'tags[1] is not of type string'],
    [{ name: 'x', kind: 'c' }, 'kind is none of the allowed values'],
    [{ name: 'x', age: 1.5 }, 'age is not of type integer or null'],
    [{ name: 'x', constructor: 1 }, 'constructor is not asked for'],
  ]
  for (const [value, fault] of table) {
    it(`${JSON.stringify(value)}: ${fault ?? 'fits'}`, () => expect(schemaFault(schema, value)).to.equal(fault))
  }
})

describe('structured output', () => {
  const schema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] }
  const asking = (more: JsonObject) => inARow(anLlm('llm', 'where?', more), anEnd('end', 'llm.structured_output.city'))

  for (const [what, more] of [
    ['as files say it now', { structured_output_enabled: true, structured_output: { schema } }],
    ['as older files say it', { structured_output: { enabled: true, schema } }],
    ['as text', { structured_output_enabled: true, structured_output: { schema: JSON.stringify(schema) } }],
  ] as const) {
    it(`is asked for in words, mended and read, with the schema ${what}`, async () => {
      const model = aSpyModel(() => ['```json\n', "{city: 'Ulm'}", '\n```'])
      const { ending } = await run(aJob('workflow', { workflow: asking(more) }), { model })
      expect(ending.outputs).to.deep.equal({ city: 'Ulm' })
      expect(model.asked[0]?.messages[0]?.text).to.include(JSON.stringify(schema))
    })
  }

  for (const answer of ['no json', '{"town":"Ulm"}']) {
    it(`fails with a clear word, and counts what it used, when the model says ${answer}`, async () => {
      const model = aSpyModel(() => [answer])
      const workflow = asking({ structured_output_enabled: true, structured_output: { schema } })
      const { ending } = await run(aJob('workflow', { workflow }), { model })
      expect(ending.kind === 'failed' && ending.failure.message).to.match(/did not answer with JSON|city is missing/)
      expect(ending.usage.totalTokens).to.equal(5)
    })
  }
})

describe('question classifier', () => {
  const classes = [
    { id: '1711', name: 'Praise' },
    { id: '1712', name: 'Complaint ', label: 'BAD' },
  ]
  async function classified(answer: string, more: JsonObject = {}) {
    const node = aNode('classify', 'question-classifier', {
      model: { name: 'm' },
      query_variable_selector: ['start', 'review'],
      classes,
      instruction: 'about {{#start.topic#}}',
      ...more,
    })
    const workflow = aWorkflow(
      [aStart(), node, anEnd('good', 'classify.class_name'), anEnd('bad', 'classify.class_id', 'classify.class_label')],
      edges('start>classify', 'classify:1711>good', 'classify:1712>bad'),
    )
    const model = aSpyModel(() => [answer])
    const inputs = { review: 'It broke.', topic: 'toys' }
    const { ending, path } = await run(aJob('workflow', { workflow }, { inputs }), { model })
    return {
      outputs: ending.outputs,
      kind: ending.kind,
      path,
      asked: model.asked[0]?.messages ?? [],
      usage: ending.usage,
    }
  }

  it('takes the branch of the class that the model names by id, or else by name', async () => {
    const bad = { class_id: '1712', class_label: 'BAD' }
    expect((await classified('{"category_id":"1712","category_name":"x"}')).outputs).to.deep.equal(bad)
    expect(
      (await classified('<think>Praise?</think>```json\n{"category_name":"Complaint"}\n```')).outputs,
    ).to.deep.equal(bad)
    expect((await classified('{"category_id":1712}')).outputs).to.deep.equal(bad)
  })

  for (const answer of ['{"category_id":"nope"}', 'no json', '', '[]']) {
    it(`takes the first class when the model says ${JSON.stringify(answer)}`, async () => {
      const { outputs, path } = await classified(answer)
      expect(outputs).to.deep.equal({ class_name: 'Praise' })
      expect(path).to.not.include('node_started:bad')
    })
  }

  it('tells the model the classes and the instruction, and the text as the user said it', async () => {
    const { asked, usage } = await classified('{}')
    expect(asked[0]?.text).to.include('1712').and.include('Praise').and.include('about toys')
    expect(asked.at(-1)).to.deep.equal({ role: 'user', text: 'It broke.' })
    expect(usage.totalTokens).to.equal(5)
  })

  it('fails without classes', async () => {
    expect((await classified('{}', { classes: [] })).kind).to.equal('failed')
  })
})

describe('parameter extractor', () => {
  const parameters = [
    { name: 'city', type: 'string', required: true, description: 'where' },
    { name: 'days', type: 'number' },
    { name: 'urgent', type: 'bool' },
    { name: 'tags', type: 'array[string]' },
    { name: 'size', type: 'select', options: ['S', 'L'] },
  ]
  const names = [...parameters.map(({ name }) => name), '__is_success', '__reason']
  const zeros = { days: 0, urgent: false, tags: [], size: '' }
  async function found(model = aSpyModel(() => ['{}'])): Promise<JsonObject> {
    const node = aNode('extract', 'parameter-extractor', {
      model: { name: 'm' },
      query: ['start', 'text'],
      parameters,
      reasoning_mode: 'prompt',
    })
    const end = anEnd('end', ...names.map((name) => `extract.${name}`))
    const workflow = aWorkflow([aStart(), node, end], edges('start>extract', 'extract>end'))
    const { ending } = await run(aJob('workflow', { workflow }, { inputs: { text: 'two days in Ulm' } }), { model })
    expect(ending.kind).to.equal('succeeded')
    return ending.outputs
  }
  const saying = (answer: Json) =>
    found(aSpyModel(() => [typeof answer === 'string' ? answer : JSON.stringify(answer)]))

  it('gives what was found, in the declared types', async () => {
    const said = { city: 'Ulm', days: '2', urgent: 'True', tags: '["a"]', size: 'L', extra: 1 }
    expect(await saying(said)).to.deep.equal({
      city: 'Ulm',
      days: 2,
      urgent: true,
      tags: ['a'],
      size: 'L',
      __is_success: 1,
      __reason: null,
    })
  })

  it('gives defaults of the declared types for what does not fit', async () => {
    const said = { city: 'Ulm', days: 'many', urgent: 'maybe', tags: [1], size: 'XL' }
    expect(await saying(said)).to.deep.equal({ city: 'Ulm', ...zeros, __is_success: 1, __reason: null })
  })

  it('says what was required and not found', async () => {
    expect(await saying({ days: 1 })).to.deep.include({
      city: '',
      days: 1,
      __is_success: 0,
      __reason: 'not found: city',
    })
  })

  it('goes on when the model says no JSON, or fails', async () => {
    expect(await saying('I cannot.')).to.deep.include({ city: '', ...zeros, __is_success: 0 })
    const broken = Object.assign(aBrokenModel(0), { asked: [] })
    expect(await found(broken)).to.deep.include({ city: '', ...zeros, __is_success: 0, __reason: 'The model is busy.' })
  })
})
