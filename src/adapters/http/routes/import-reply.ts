import * as v from 'valibot'
import type { ManageImports } from '#application/use-cases/manage-imports.ts'
import { DSL_VERSION } from '#domain/dsl-version.ts'
import { answered } from '../answered.ts'
import { appExamples } from '../examples/apps.ts'
import type { Also } from '../route.ts'

const versions = { current_dsl_version: v.string(), imported_dsl_version: v.string() }
/** An app has come of the file. */
export const Completed = v.object({
  id: v.string(),
  status: v.picklist(['completed', 'completed-with-warnings']),
  app_id: v.string(),
  app_mode: v.string(),
  ...versions,
  error: v.string(),
})
const without = { app_id: v.null(), app_mode: v.null(), ...versions }
const Pending = v.object({ id: v.string(), status: v.literal('pending'), ...without, error: v.string() })
const Failed = v.object({
  id: v.string(),
  status: v.literal('failed'),
  ...without,
  error: v.pipe(v.string(), v.description('What is wrong with the file, with its line where there is one.')),
  code: v.literal('bad_request'),
  message: v.string(),
})

/** The answers to an import that is not done: it waits to be confirmed, or the file is none. */
export const also: Readonly<Record<number, Also>> = {
  202: {
    name: 'import_pending',
    description: 'The file is of a newer format: confirm within ten minutes, or leave it',
    reply: Pending,
    example: appExamples.importPending,
  },
  400: {
    name: 'import_failed',
    description: 'The file is none, or cannot be had',
    reply: Failed,
    example: appExamples.importFailed,
  },
}

type Outcome = Awaited<ReturnType<ManageImports['begin']>>

/** An import as its caller reads it, by what came of it. */
export function replyOf(outcome: Outcome) {
  const id = outcome.importId
  const none = { app_id: null, app_mode: null, current_dsl_version: DSL_VERSION }
  switch (outcome.status) {
    case 'pending':
      return answered(202, { id, status: 'pending', ...none, imported_dsl_version: outcome.dslVersion, error: '' })
    case 'failed': {
      const told = { error: outcome.message, code: 'bad_request', message: outcome.message }
      return answered(400, { id, status: 'failed', ...none, imported_dsl_version: '', ...told })
    }
    default:
      return {
        id,
        status: outcome.status,
        app_id: outcome.appId,
        app_mode: outcome.mode,
        current_dsl_version: DSL_VERSION,
        imported_dsl_version: outcome.dslVersion,
        error: '',
      }
  }
}
