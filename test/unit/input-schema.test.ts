import { Ajv2020 } from 'ajv/dist/2020.js'
import { expect } from 'chai'
import type { Json, JsonObject } from '#domain/app.ts'
import type { AppMode } from '#domain/app-mode.ts'
import { inputSchemaOf } from '#domain/input-schema.ts'
import { isObject, objectAt } from '#domain/json.ts'

const ajv = new Ajv2020({ strict: true })

function schemaOf(mode: AppMode, ...rows: readonly Json[]): JsonObject {
  const base = { id: 'd', appId: 'a', kind: 'published', dslVersion: '0.3.1' } as const
  return inputSchemaOf(mode, { ...base, workflow: null, modelConfig: { user_input_form: rows } })
}

function controlOf(row: JsonObject): Json | undefined {
  const inputs = objectAt(objectAt(schemaOf('completion', row), 'properties'), 'inputs')
  return objectAt(inputs, 'properties').v
}

const filePart = {
  type: 'object',
  properties: {
    type: { type: 'string' },
    transfer_method: { type: 'string' },
    url: { type: 'string' },
    upload_file_id: { type: 'string' },
  },
  additionalProperties: true,
}
const file = { type: 'document', transfer_method: 'remote_url', url: 'https://example.org/a.pdf' }

/** A row, its schema, and a value that fits and one that does not. */
const controls: readonly (readonly [string, JsonObject, JsonObject, Json, Json])[] = [
  ['text-input', { max_length: 3 }, { title: 'Label', type: 'string', maxLength: 3 }, 'abc', 'abcd'],
  ['paragraph', { max_length: 0 }, { title: 'Label', type: 'string' }, 'abc', 1],
  ['select', { options: ['a', 'b', 'a'] }, { title: 'Label', type: 'string', enum: ['a', 'b'] }, 'b', 'c'],
  ['number', {}, { title: 'Label', type: 'number' }, 1.5, 'x'],
  ['checkbox', {}, { title: 'Label', type: 'boolean' }, true, 'true'],
  ['json_object', {}, { title: 'Label', type: 'object' }, { a: 1 }, [1]],
  ['file', {}, { title: 'Label', ...filePart }, { ...file, more: 1 }, { url: 5 }],
  ['file-list', {}, { title: 'Label', type: 'array', items: filePart }, [file], [1]],
]

describe('input schema', () => {
  for (const [control, settings, expected, good, bad] of controls) {
    const row = { [control]: { variable: 'v', label: 'Label', required: true, ...settings } }

    it(`G19 describes ${control}`, () => {
      expect(controlOf(row)).to.deep.equal(expected)
    })

    it(`G20 with ${control} it is a valid 2020-12 schema that tells good bodies from bad ones`, () => {
      for (const mode of ['completion', 'chat'] as const) {
        const schema = schemaOf(mode, row)
        expect(ajv.validateSchema(schema)).to.equal(true)
        const validate = ajv.compile(schema)
        const extra = mode === 'chat' ? { query: 'hello' } : {}
        expect(validate({ ...extra, inputs: { v: good } }), 'good').to.equal(true)
        expect(validate({ ...extra, inputs: { v: bad } }), 'bad').to.equal(false)
        expect(validate({ ...extra, inputs: {} }), 'missing').to.equal(false)
        expect(validate({ ...extra, inputs: { v: good, other: 1 } }), 'undeclared').to.equal(false)
        expect(validate(extra), 'no inputs').to.equal(false)
      }
    })
  }

  it('G19 titles a control by its variable when it has no label', () => {
    expect(controlOf({ paragraph: { variable: 'v' } })).to.deep.equal({ title: 'v', type: 'string' })
  })

  it('G19 leaves unknown controls out, also of required', () => {
    const schema = schemaOf('completion', { external_data_tool: { variable: 'x', required: true } }, 'odd', {
      a: 1,
      b: 2,
    })
    expect(objectAt(objectAt(schema, 'properties'), 'inputs')).to.deep.equal({
      type: 'object',
      properties: {},
      required: [],
      additionalProperties: false,
    })
  })

  it('G19 keeps the order of the form in required', () => {
    const rows = ['z', 'a', 'm'].map((variable) => ({ paragraph: { variable, required: variable !== 'a' } }))
    const inputs = objectAt(objectAt(schemaOf('completion', ...rows), 'properties'), 'inputs')
    expect(inputs.required).to.deep.equal(['z', 'm'])
  })

  it('G19 asks for a query in the chat family only, and lets a chat body hold more', () => {
    for (const mode of ['chat', 'agent-chat'] as const) {
      const schema = schemaOf(mode)
      expect(schema.required).to.deep.equal(['query', 'inputs'])
      expect('additionalProperties' in schema).to.equal(false)
      const validate = ajv.compile(schema)
      expect(validate({ query: 'x', inputs: {}, response_mode: 'blocking' })).to.equal(true)
      expect(validate({ query: '', inputs: {} })).to.equal(false)
    }
    expect(schemaOf('completion').required).to.deep.equal(['inputs'])
  })

  it('G19 reads the start node of graphs', () => {
    const base = { id: 'd', appId: 'a', kind: 'published', dslVersion: '0.3.1', modelConfig: null } as const
    const variables = [{ variable: 'v', type: 'select', options: ['x'], required: true }]
    const workflow = { graph: { nodes: [{ id: 's', data: { type: 'start', variables } }], edges: [] } }
    expect(inputSchemaOf('workflow', { ...base, workflow }).required).to.deep.equal(['inputs'])
    expect(inputSchemaOf('advanced-chat', { ...base, workflow }).required).to.deep.equal(['query', 'inputs'])
  })

  it('G20 is an empty object schema without a usable definition', () => {
    const schema = inputSchemaOf('workflow', null)
    expect(schema).to.deep.equal({
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      properties: {},
      required: [],
    })
    expect(isObject(schema) && ajv.validateSchema(schema)).to.equal(true)
  })
})
