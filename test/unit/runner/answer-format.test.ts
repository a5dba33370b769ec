import { expect } from 'chai'
import { createChatEndpoint } from '#adapters/runner-native/models/chat-endpoint.ts'
import { createRefusedFormats, type RefusedFormats } from '#adapters/runner-native/models/refused-formats.ts'
import type { JsonObject } from '#domain/app.ts'
import { aModelEndpoint, type Refusal } from '../../support/model-endpoint.ts'
import { aJob, run } from './support.ts'
import { anEnd, anLlm, inARow } from './workflow.ts'

type Endpoint = Awaited<ReturnType<typeof aModelEndpoint>>
type Refuse = NonNullable<Parameters<typeof aModelEndpoint>[1]>

const SCHEMA: JsonObject = {
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
}
const EXACT = { type: 'json_schema', json_schema: { name: 'answer', schema: SCHEMA, strict: true } }
const LESSER = { type: 'json_object' }
const isExact: (format: { readonly type?: unknown } | undefined) => boolean = (format) => format?.type === 'json_schema'
const saying = (status: number, message: string): Refusal => ({ status, body: { error: { message } } })

describe('the format of an answer', () => {
  const open: Endpoint[] = []
  afterEach(async () => {
    for (const endpoint of open.splice(0)) await endpoint.close()
  })

  async function anEndpoint(refuse?: Refuse, says = '{"city":"Ulm"}'): Promise<Endpoint> {
    const endpoint = await aModelEndpoint(says, refuse)
    open.push(endpoint)
    return endpoint
  }

  type Asked = { readonly schema?: JsonObject; readonly key?: string; readonly params?: JsonObject }

  async function ask(
    { url }: Endpoint,
    refused: RefusedFormats,
    { schema = SCHEMA, key = 'k', params = {} }: Asked = {},
  ) {
    const model = createChatEndpoint({ baseUrl: url, apiKey: key, name: null, refused })
    const settings = {
      model: { name: 'm', completion_params: params },
      structured_output_enabled: true,
      structured_output: { schema },
    }
    const workflow = inARow(anLlm('llm', 'where?', settings), anEnd('end', 'llm.structured_output'))
    return (await run(aJob('workflow', { workflow }), { model })).ending
  }

  it("is the endpoint's own, in place of the app's, and of nobody who did not ask for it", async () => {
    const endpoint = await anEndpoint()
    const { outputs } = await ask(endpoint, createRefusedFormats(), { params: { response_format: 'text' } })
    expect(outputs).to.deep.equal({ structured_output: { city: 'Ulm' } })
    const workflow = inARow(anLlm('llm', 'q'), anEnd('end', 'llm.text'))
    const model = createChatEndpoint({ baseUrl: endpoint.url, apiKey: null, name: null })
    await run(aJob('workflow', { workflow }), { model })
    expect(endpoint.formats).to.deep.equal([EXACT, undefined])
  })

  const strictness: readonly (readonly [what: string, schema: JsonObject, strict: boolean])[] = [
    ['an optional property', { ...SCHEMA, required: [] }, false],
    ['room for other properties', { ...SCHEMA, additionalProperties: true }, false],
    ['a keyword that strict endpoints refuse', { ...SCHEMA, oneOf: [] }, false],
    ['an optional property within', { ...SCHEMA, properties: { city: { ...SCHEMA, required: [] } } }, false],
    ['lists of what is strict', { ...SCHEMA, properties: { city: { type: 'array', items: SCHEMA } } }, true],
  ]
  for (const [what, schema, strict] of strictness) {
    it(`is ${strict ? '' : 'not '}strict with ${what}`, async () => {
      const endpoint = await anEndpoint()
      await ask(endpoint, createRefusedFormats(), { schema })
      expect(endpoint.formats).to.deep.equal([{ type: 'json_schema', json_schema: { name: 'answer', schema, strict } }])
    })
  }

  const refusals: readonly Refusal[] = [
    saying(400, 'Invalid parameter: response_format of type json_schema is not supported with this model.'),
    saying(400, 'This response format type is unavailable now'),
    saying(422, 'Unrecognized request argument supplied'),
    { status: 422, body: { detail: [{ loc: ['body', 'response_format', 'type'] }] } },
    { status: 400, body: "unknown field 'response_format'" },
    { status: 400, body: { error: "'response_format.type' must be 'text'" } },
    { status: 400, body: { error: { message: 'no', param: 'response_format' } } },
  ]
  for (const refusal of refusals) {
    it(`is a lesser one where the endpoint answers ${JSON.stringify(refusal)}, which costs once`, async () => {
      const endpoint = await anEndpoint((format) => (isExact(format) ? refusal : null))
      const refused = createRefusedFormats()
      for (const _ of [1, 2]) expect((await ask(endpoint, refused)).kind).to.equal('succeeded')
      expect(endpoint.formats).to.deep.equal([EXACT, LESSER, LESSER])
    })
  }

  it('is words alone where the endpoint takes none, with what the app asked for', async () => {
    const endpoint = await anEndpoint((format) => (format === undefined ? null : saying(400, 'response_format?')))
    const refused = createRefusedFormats()
    for (const _ of [1, 2]) {
      const { outputs } = await ask(endpoint, refused)
      expect(outputs).to.deep.equal({ structured_output: { city: 'Ulm' } })
    }
    expect(endpoint.formats).to.deep.equal([EXACT, LESSER, undefined, undefined])
  })

  it('keeps no model from a list, and asks for none without a schema', async () => {
    const refuse: Refuse = (format) => (isExact(format) ? saying(400, 'response_format?') : null)
    const endpoint = await anEndpoint(refuse, '["Ulm"]')
    const refused = createRefusedFormats()
    for (const schema of [{ type: 'array', items: { type: 'string' } }, {}]) {
      expect((await ask(endpoint, refused, { schema })).outputs).to.deep.equal({ structured_output: ['Ulm'] })
    }
    expect(endpoint.formats.slice(1)).to.deep.equal([undefined, undefined])
  })

  // One app's schema must not take the format from every other app on the endpoint.
  it('is refused for one schema alone when the schema is the fault', async () => {
    const odd = { ...SCHEMA, title: 'odd' }
    const fault = saying(400, "Invalid schema for response_format 'answer': 'title' is not permitted.")
    const endpoint = await anEndpoint((format) => (JSON.stringify(format)?.includes('odd') === true ? fault : null))
    const refused = createRefusedFormats()
    for (const schema of [odd, SCHEMA, odd]) await ask(endpoint, refused, { schema })
    expect(endpoint.formats.map((format) => format?.type)).to.deep.equal([
      'json_schema',
      'json_object',
      'json_schema',
      'json_object',
    ])
  })

  it('is asked for again by who has another key', async () => {
    const endpoint = await anEndpoint((format) => (isExact(format) ? saying(400, 'response_format?') : null))
    const refused = createRefusedFormats()
    for (const key of ['one', 'other']) await ask(endpoint, refused, { key })
    expect(endpoint.formats).to.deep.equal([EXACT, LESSER, EXACT, LESSER])
  })

  it('stays as it was when something else is wrong, and the endpoint is not asked again', async () => {
    const endpoint = await anEndpoint(() => saying(400, 'The context is too long.'))
    const ending = await ask(endpoint, createRefusedFormats())
    expect(ending.kind === 'failed' && ending.failure.message).to.include('The context is too long.')
    expect(endpoint.formats).to.deep.equal([EXACT])
  })

  it('is not blamed for a request that fails without it as well', async () => {
    let isWell = false
    const endpoint = await anEndpoint(() => (isWell ? null : saying(400, 'Unknown parameter: top_z')))
    const refused = createRefusedFormats()
    const ending = await ask(endpoint, refused)
    expect(ending.kind === 'failed' && ending.failure.message).to.include('top_z')
    isWell = true
    await ask(endpoint, refused)
    expect(endpoint.formats).to.deep.equal([EXACT, LESSER, undefined, EXACT])
  })

  for (const says of ['no json', '{"town":"Ulm"}']) {
    it(`is not believed: an endpoint that takes it and says ${says} fails the node`, async () => {
      const ending = await ask(await anEndpoint(undefined, says), createRefusedFormats())
      expect(ending.kind === 'failed' && ending.failure.message).to.match(/did not answer with JSON|city is missing/)
    })
  }
})

describe('the memory of refused formats', () => {
  it('keeps the latest and forgets the oldest', () => {
    const refused = createRefusedFormats(2)
    for (const format of ['a', 'b', 'a', 'c']) refused.add(format)
    expect(['a', 'b', 'c'].filter((format) => refused.has(format))).to.deep.equal(['a', 'c'])
  })
})
