import { writeFile } from 'node:fs/promises'
import { apiRoutes } from '#adapters/http/api-routes.ts'
import { openApiDocument } from '#adapters/http/openapi.ts'
import { probeRoutes } from '#adapters/http/routes/probes.ts'

const target = new URL('../docs/openapi.json', import.meta.url)
await writeFile(target, `${JSON.stringify(openApiDocument(apiRoutes, probeRoutes), null, 2)}\n`)
