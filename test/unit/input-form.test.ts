import { expect } from 'chai'
import type { AppDefinition, Json, JsonObject } from '#domain/app.ts'
import { checkInputs, formOf } from '#domain/input-form.ts'

function definition(parts: Partial<AppDefinition>): AppDefinition {
  return { id: 'd', appId: 'a', kind: 'published', dslVersion: '0.3.1', workflow: null, modelConfig: null, ...parts }
}

const chat = (...rows: readonly Json[]) => formOf('chat', definition({ modelConfig: { user_input_form: rows } })) ?? []
const graph = (...variables: readonly Json[]) =>
  formOf(
    'workflow',
    definition({ workflow: { graph: { nodes: [{ id: 's', data: { type: 'start', variables } }], edges: [] } } }),
  )

function issuesOf(row: JsonObject, value: Json): readonly string[] {
  const checked = checkInputs(chat(row), { v: value })
  return checked.ok ? [] : checked.issues.map(({ msg }) => msg)
}

function checkedValue(row: JsonObject, inputs: JsonObject): Json | undefined {
  const checked = checkInputs(chat(row), inputs)
  if (!checked.ok) throw new Error(JSON.stringify(checked.issues))
  return checked.inputs.v
}

const text = (more: JsonObject = {}) => ({ 'text-input': { variable: 'v', label: 'V', ...more } })
const picture = { type: 'image', transfer_method: 'remote_url', url: 'https://example.org/cat.PNG?x=1' }

describe('input form', () => {
  it('is null without a usable definition', () => {
    expect(formOf('chat', null)).to.equal(null)
    expect(formOf('chat', definition({}))).to.equal(null)
    expect(formOf('workflow', definition({ workflow: { graph: { nodes: [] } } }))).to.equal(null)
    expect(formOf('channel', definition({ modelConfig: {} }))).to.equal(null)
  })

  it('reads old rows and start variables alike', () => {
    const settings = { variable: 'v', label: '', type: 'paragraph', required: true, max_length: 9 }
    expect(graph(settings)).to.deep.equal(chat({ paragraph: settings }))
    expect(chat({ paragraph: settings })[0]).to.deep.include({ control: 'paragraph', label: 'v', maxLength: 9 })
  })

  it('skips rows it cannot make sense of', () => {
    const rows = [
      null,
      'x',
      {},
      { a: {}, b: {} },
      { 'text-input': { label: 'no variable' } },
      { external_data_tool: { variable: 'e' } },
    ]
    expect(chat(...rows, text()).map(({ variable }) => variable)).to.deep.equal(['v'])
  })

  it('H10 says what is missing, too long, no number and not among the options, by name and without the value', () => {
    expect(issuesOf(text({ required: true }), '')).to.deep.equal(['v is required in input form'])
    expect(issuesOf(text({ required: true }), null)).to.deep.equal(['v is required in input form'])
    expect(issuesOf(text({ max_length: 100 }), 'secret'.repeat(20))).to.deep.equal([
      'v in input form must be less than 100 characters',
    ])
    expect(issuesOf({ number: { variable: 'v' } }, 'twelve')).to.deep.equal(['v in input form must be a valid number'])
    expect(issuesOf({ select: { variable: 'v', options: ['a', 'b'] } }, 'c')).to.deep.equal([
      'v in input form must be one of the following: a, b',
    ])
    expect(issuesOf(text(), 5)).to.deep.equal(['v in input form must be a string'])
  })

  it('points at the input, and tells every fault at once', () => {
    const checked = checkInputs(chat(text({ required: true }), { number: { variable: 'n', required: true } }), {})
    expect(checked.ok ? [] : checked.issues.map(({ loc }) => loc)).to.deep.equal([
      ['inputs', 'v'],
      ['inputs', 'n'],
    ])
  })

  it('drops what the form does not declare', () => {
    expect(checkInputs(chat(text()), { v: 'x', extra: 1 })).to.deep.equal({ ok: true, inputs: { v: 'x' } })
  })

  it('keeps a variable named like a property of every object as plain data', () => {
    const form = chat({ 'text-input': { variable: '__proto__' } }, { 'text-input': { variable: 'constructor' } })
    const checked = checkInputs(form, JSON.parse('{"__proto__": "x"}'))
    expect(JSON.stringify(checked)).to.equal('{"ok":true,"inputs":{"__proto__":"x","constructor":null}}')
  })

  it('counts "" as absent: an optional field gets its default, else null', () => {
    expect(checkedValue(text({ default: 'd' }), { v: '' })).to.equal('d')
    expect(checkedValue(text(), { v: '' })).to.equal(null)
    expect(checkedValue(text(), {})).to.equal(null)
    expect(checkedValue({ number: { variable: 'v', default: 'many' } }, {})).to.equal(null)
  })

  it('reads a numeric string as a number', () => {
    const number = { number: { variable: 'v' } }
    expect(checkedValue(number, { v: '4.5' })).to.equal(4.5)
    expect(checkedValue(number, { v: 0 })).to.equal(0)
    expect(checkedValue(number, { v: ' ' })).to.equal(null)
    expect(issuesOf(number, true)).to.have.length(1)
  })

  it('counts characters as people do, and strips NUL', () => {
    expect(checkedValue(text({ max_length: 2 }), { v: '👋👋' })).to.equal('👋👋')
    expect(checkedValue(text(), { v: 'a\u0000b' })).to.equal('ab')
    expect(issuesOf(text({ required: true }), '\u0000')).to.deep.equal(['v is required in input form'])
  })

  it('takes the words people use for a checkbox', () => {
    const box = { checkbox: { variable: 'v', required: true } }
    expect(['true', 'YES', 'on', 1, true].map((v) => checkedValue(box, { v }))).to.deep.equal([
      true,
      true,
      true,
      true,
      true,
    ])
    expect(['false', 'no', 'off', 0, false].map((v) => checkedValue(box, { v }))).to.deep.equal([
      false,
      false,
      false,
      false,
      false,
    ])
    expect(issuesOf(box, 'maybe')).to.deep.equal(['v in input form must be a boolean'])
  })

  // JSON inside a string is one harmless string to the checks of the request; it used to end in a 500.
  it('A15 JSON sent as a string is checked like JSON: depth, NUL and broken text', () => {
    const object = { json_object: { variable: 'v' } }
    const deep = `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`
    expect(issuesOf(object, deep)).to.deep.equal(['v in input form must not be nested deeper than 128 levels'])
    for (const text of ['{"a":"\\u0000"}', '{"a":["\\ud800"]}']) {
      expect(issuesOf(object, text), text).to.deep.equal(['v in input form must be valid text'])
    }
  })

  it('takes an object, also as JSON text', () => {
    const object = { json_object: { variable: 'v' } }
    expect(checkedValue(object, { v: '{"a":1}' })).to.deep.equal({ a: 1 })
    expect(issuesOf(object, '[1]')).to.deep.equal(['v in input form must be an object'])
    expect(issuesOf(object, '{')).to.have.length(1)
  })

  it('takes remote files, and names the field of any other kind and of an upload that is not the caller’s', () => {
    const file = { file: { variable: 'v', allowed_file_types: ['image'] } }
    expect(checkedValue(file, { v: picture })).to.deep.include({ type: 'image', name: 'cat.PNG', extension: '.png' })
    const local = { type: 'image', transfer_method: 'local_file', upload_file_id: 'x' }
    expect(checkInputs(chat(file), { v: local })).to.deep.include({ ok: false })
    expect(issuesOf(file, local)).to.deep.equal(['v in input form must name a file that was uploaded here'])
    expect(issuesOf(file, { ...picture, type: 'video' })).to.have.length(1)
    expect(issuesOf(file, { ...picture, url: 'file:///etc/passwd' })).to.deep.equal([
      'v in input form must have an http or https url',
    ])
  })

  it('takes lists of files up to their length', () => {
    const list = { 'file-list': { variable: 'v', max_length: 2, required: true } }
    expect(checkedValue(list, { v: [picture, picture] })).to.have.length(2)
    expect(issuesOf(list, [picture, picture, picture])).to.deep.equal(['v in input form must have at most 2 files'])
    expect(issuesOf(list, [])).to.deep.equal(['v is required in input form'])
    expect(issuesOf(list, picture)).to.have.length(1)
  })
})
