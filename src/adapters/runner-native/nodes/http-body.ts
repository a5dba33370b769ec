import type { JsonObject } from '#domain/app.ts'
import { isList, isObject, objectsAt, textAt, textsAt } from '#domain/json.ts'
import { isStored } from '../files/stored-file.ts'
import { fillTemplate, isFile, resolve, type VariablePool } from '../graph/variable-pool.ts'
import { jsonText } from './http-json.ts'
import { pairsOf } from './http-pairs.ts'
import { NodeFailure } from './node-executor.ts'

/** What is sent; null for nothing. */
export type RequestBody = { readonly bytes: Uint8Array | null; readonly contentType: string | null }

type Download = (file: JsonObject) => Promise<Uint8Array>

const NOTHING: RequestBody = { bytes: null, contentType: null }
const MAX_FILES = 10

/** The body that the node describes; older files keep its data as one text, newer ones as a list. */
export async function bodyOf(settings: JsonObject, pool: VariablePool, download: Download): Promise<RequestBody> {
  const text = textAt(settings, 'data') || textAt(objectsAt(settings, 'data')[0] ?? {}, 'value')
  switch (textAt(settings, 'type')) {
    case 'json':
      return text.trim() === '' ? NOTHING : written(jsonText(pool, text), 'application/json')
    case 'raw-text':
      return written(fillTemplate(pool, text), 'text/plain')
    case 'x-www-form-urlencoded': {
      const fields = new URLSearchParams(
        fieldsOf(settings, pool).map(({ name, value }): [string, string] => [name, value]),
      )
      return written(fields.toString(), 'application/x-www-form-urlencoded')
    }
    case 'form-data':
      return formData(settings, pool, download)
    case 'binary': {
      const [file] = filesAt(pool, objectsAt(settings, 'data')[0] ?? {})
      if (file === undefined) throw new NodeFailure('RequestBodyError', 'there is no file to send')
      return { bytes: await download(file), contentType: 'application/octet-stream' }
    }
    default:
      return NOTHING
  }
}

type Field = { readonly name: string; readonly value: string; readonly files: readonly JsonObject[] }

function fieldsOf(settings: JsonObject, pool: VariablePool): readonly Field[] {
  if (!isList(settings.data)) {
    return pairsOf(pool, textAt(settings, 'data')).map(([name, value]) => ({ name, value, files: [] }))
  }
  return objectsAt(settings, 'data')
    .map((item) => ({
      name: fillTemplate(pool, textAt(item, 'key')),
      value: fillTemplate(pool, textAt(item, 'value')),
      files: textAt(item, 'type') === 'file' ? filesAt(pool, item) : [],
    }))
    .filter(({ name }) => name !== '')
}

async function formData(settings: JsonObject, pool: VariablePool, download: Download): Promise<RequestBody> {
  const form = new FormData()
  const fields = fieldsOf(settings, pool)
  if (fields.flatMap(({ files }) => files).length > MAX_FILES) {
    throw new NodeFailure('RequestBodyError', `more than ${MAX_FILES} files cannot be sent at once`)
  }
  for (const { name, value, files } of fields) {
    if (files.length === 0) form.append(name, value)
    for (const file of files) form.append(name, new Blob([Buffer.from(await download(file))]), textAt(file, 'name'))
  }
  const packed = new Response(form)
  return { bytes: await packed.bytes(), contentType: packed.headers.get('content-type') }
}

/** The files that an entry names, as one or as a list. */
function filesAt(pool: VariablePool, item: JsonObject): readonly JsonObject[] {
  const value = resolve(pool, textsAt(item, 'file')) ?? null
  return (isList(value) ? value : [value])
    .filter(isObject)
    .filter((one) => isFile(one) && (isStored(one) || textAt(one, 'url') !== ''))
}

function written(text: string, contentType: string): RequestBody {
  return { bytes: Buffer.from(text), contentType }
}
