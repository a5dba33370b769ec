import type { RunJob } from '#application/ports/app-runner.ts'
import type { Json } from '#domain/app.ts'
import { isList, isObject, textAt } from '#domain/json.ts'
import { isFile } from '../graph/variable-pool.ts'

/**
 * The value with an address in each upload that it is or lists, where this server can be reached from outside. Made for
 * a run and never stored: such an address is as good as the file, for a short time.
 */
export function linked(value: Json, job: RunJob): Json {
  if (isList(value)) return value.map((one) => linked(one, job))
  if (!isObject(value) || !isFile(value) || value.transfer_method !== 'local_file') return value
  return { ...value, url: job.files?.linkTo(textAt(value, 'related_id')) ?? null }
}
