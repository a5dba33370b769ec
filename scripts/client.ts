import { readFile, writeFile } from 'node:fs/promises'
import { clientTypes } from './client-types.ts'

const document = JSON.parse(await readFile(new URL('../docs/openapi.json', import.meta.url), 'utf8'))
await writeFile(new URL('../client/schema.d.ts', import.meta.url), clientTypes(document))
