import type { Json, JsonObject } from '#domain/app.ts'
import { isObject, textAt } from '#domain/json.ts'

/** The files in a run's inputs and list, with `swap` in their place; everything else as it is. */
export async function swapFiles(value: Json, swap: (file: JsonObject) => Promise<JsonObject>): Promise<Json> {
  if (Array.isArray(value)) return Promise.all(value.map((one: Json) => swapFiles(one, swap)))
  if (!isObject(value)) return value
  return textAt(value, 'transfer_method') === '' ? value : swap(value)
}
