import { readFile } from 'node:fs/promises'
import { Validator } from '@seriousme/openapi-schema-validator'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { expect } from 'chai'
import { apiRoutes } from '#adapters/http/api-routes.ts'
import { sampleError } from '#adapters/http/error-samples.ts'
import { openApiDocument } from '#adapters/http/openapi.ts'
import { errorsOf } from '#adapters/http/openapi-refusals.ts'
import { probeRoutes } from '#adapters/http/routes/probes.ts'

// Through JSON, as a client gets it: undefined members are gone.
const document = JSON.parse(JSON.stringify(openApiDocument(apiRoutes, probeRoutes)))

type Media = {
  readonly schema: object
  readonly example?: unknown
  readonly examples?: Readonly<Record<string, { $ref: string }>>
}
type Answer = {
  readonly headers: Readonly<Record<string, unknown>>
  /** None on an answer without a body. */
  readonly content?: Readonly<Record<string, Media>>
}
type Operation = {
  readonly operationId: string
  readonly security: readonly Readonly<Record<string, unknown>>[]
  readonly parameters?: readonly { readonly name: string; readonly schema: object; readonly example?: unknown }[]
  readonly requestBody?: { readonly content: Readonly<Record<string, Media>> }
  readonly responses: Readonly<Record<string, Answer>>
}

const operations = [...apiRoutes, ...probeRoutes].map((one) => {
  const operation: Operation = document.paths[one.path.replaceAll(/:(\w+)/g, '{$1}')][one.method]
  return { name: `${one.method} ${one.path}`, one, operation }
})

/** Compiles schemas where they stand, so that references into the document are found. */
const ajv = new Ajv2020({ strict: false, validateFormats: false })
ajv.addSchema({ $id: 'https://latchkey.example/document', ...document })
const misfits = (schema: object, value: unknown): unknown => {
  const within = JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"https://latchkey.example/document#/'))
  const validate = ajv.compile(within)
  return validate(value) ? null : validate.errors
}

describe('OpenAPI document', () => {
  it('is the one in docs/openapi.json (npm run openapi writes it)', async () => {
    const kept = await readFile(new URL('../../docs/openapi.json', import.meta.url), 'utf8')
    expect(JSON.parse(kept)).to.deep.equal(document)
  })

  it('A14 lists exactly the mounted routes', () => {
    const listed = Object.entries<object>(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    )
    const mounted = [...apiRoutes, ...probeRoutes].map(
      ({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`,
    )
    expect(listed.toSorted()).to.deep.equal(mounted.toSorted())
  })

  it('A14 is valid by the schema of OpenAPI 3.1', async () => {
    const validator = new Validator()
    const verdict = await validator.validate(structuredClone(document))
    expect(verdict.errors ?? []).to.deep.equal([])
    expect([verdict.valid, validator.version]).to.deep.equal([true, '3.1'])
    const broken = { ...structuredClone(document), paths: { '/x': { get: { responses: { 200: {} } } } } }
    expect((await new Validator().validate(broken)).valid).to.equal(false)
  })

  it('shows an example of every request and answer, and each fits its schema', () => {
    for (const { name, operation } of operations) {
      const requests = Object.values(operation.requestBody?.content ?? {})
      for (const { schema, example } of [...requests, ...(operation.parameters ?? [])]) {
        expect(example, name).not.to.equal(undefined)
        expect(misfits(schema, example), `${name} request`).to.equal(null)
      }
      for (const [status, { content }] of Object.entries(operation.responses)) {
        for (const { schema, example, examples } of Object.values(content ?? {})) {
          const values = Object.keys(examples ?? {}).map((code) => document.components.examples[code].value)
          const shown = examples === undefined ? [example] : values
          expect(shown, `${name} ${status}`).not.to.deep.equal([undefined])
          for (const value of shown) expect(misfits(schema, value), `${name} ${status}`).to.equal(null)
        }
      }
    }
  })

  it('shows every event of its example stream as a RunEvent', () => {
    const streams = operations.flatMap(
      ({ operation }) => operation.responses[200]?.content?.['text/event-stream'] ?? [],
    )
    expect(streams).to.have.length(2)
    const frames = streams.flatMap(({ example }) => String(example).split('\n\n').slice(0, -1))
    expect(frames).to.have.length.above(5)
    for (const frame of frames) {
      const value: unknown = JSON.parse(frame.replace('data: ', ''))
      expect(misfits(document.components.schemas.RunEvent, value), frame).to.equal(null)
    }
    expect(misfits(document.components.schemas.RunEvent, { event: 'message' })).not.to.equal(null)
  })

  it('declares each refusal under its status, and promises Retry-After wherever all of a status bring it', () => {
    for (const { name, one, operation } of operations) {
      for (const code of errorsOf(one)) {
        const { status } = sampleError(code)
        const answer = operation.responses[status]
        expect(answer?.content?.['application/json']?.examples, `${name} ${code}`).to.have.property(code)
        if (status === 429 || status === 503) expect(answer?.headers, name).to.have.property('Retry-After')
        if (code === 'invalid_bearer') expect(answer?.headers, name).to.have.property('WWW-Authenticate')
      }
      const error = operation.responses[500]?.content?.['application/json']?.schema ?? {}
      const body = { ...sampleError('internal_server_error').body, error: 'something_else' }
      expect(misfits(error, body), `${name} admits any error`).not.to.equal(null)
    }
  })

  it('names what each operation asks of its caller', () => {
    const asked = new Map(operations.map(({ name, operation }) => [name, operation.security]))
    expect(asked.get('get /_health')).to.deep.equal([])
    expect(asked.get('get /oauth/device/lookup')).to.deep.equal([{}, { console: [] }])
    expect(asked.get('get /account')).to.deep.equal([{ bearer: [] }])
    expect(asked.get('post /oauth/device/approve')).to.deep.equal([{ console: [], csrf: [] }])
    const schemes = [...asked.values()].flat().flatMap((one) => Object.keys(one))
    for (const scheme of schemes) expect(document.components.securitySchemes).to.have.property(scheme)
  })

  it('gives every operation a name of its own', () => {
    expect(new Set(operations.map(({ operation }) => operation.operationId)).size).to.equal(operations.length)
  })
})
