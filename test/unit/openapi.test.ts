import { readFile } from 'node:fs/promises'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { expect } from 'chai'
import { apiRoutes } from '#adapters/http/app.ts'
import { openApiDocument } from '#adapters/http/openapi.ts'

// Through JSON, as a client gets it: undefined members are gone.
const document = JSON.parse(JSON.stringify(openApiDocument(apiRoutes)))

describe('OpenAPI document', () => {
  it('is the one in docs/openapi.json (npm run openapi writes it)', async () => {
    const kept = await readFile(new URL('../../docs/openapi.json', import.meta.url), 'utf8')
    expect(JSON.parse(kept)).to.deep.equal(document)
  })

  it('A14 lists exactly the mounted routes', () => {
    const listed = Object.entries<object>(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    )
    const mounted = apiRoutes.map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`)
    expect(listed.toSorted()).to.deep.equal(mounted.toSorted())
  })

  it('holds only schemas that a 2020-12 validator accepts', () => {
    const ajv = new Ajv2020({ strict: false, validateFormats: false })
    for (const { method, path, status } of apiRoutes) {
      const operation = document.paths[path.replaceAll(/:(\w+)/g, '{$1}')][method]
      const schemas = [
        operation.responses[status].content['application/json'].schema,
        ...(operation.parameters ?? []).map(({ schema }: { schema: object }) => schema),
        ...Object.values<{ schema: object }>(operation.requestBody?.content ?? {}).map(({ schema }) => schema),
      ]
      for (const schema of schemas) expect(ajv.validateSchema(schema), `${method} ${path}`).to.equal(true)
    }
  })

  it('gives every operation a name of its own and declares every error body', () => {
    const operations = Object.values<Record<string, { operationId: string; responses: Record<string, unknown> }>>(
      document.paths,
    ).flatMap((methods) => Object.values(methods))
    expect(new Set(operations.map(({ operationId }) => operationId)).size).to.equal(operations.length)
    expect(document.components.schemas.Error.required).to.deep.equal(['error', 'code', 'message', 'status'])
  })
})
