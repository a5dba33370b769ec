import type { ExportChoices, ReadDsl } from '#application/ports/dsl-files.ts'
import type { ErrorFacts } from '#domain/errors.ts'
import { readDsl } from './read-dsl.ts'
import { writeDsl } from './write-dsl.ts'

/** What is asked of a worker. */
export type DslTask =
  | { readonly kind: 'read'; readonly source: string }
  | { readonly kind: 'write'; readonly source: string; readonly choices: ExportChoices }

/** What it answers; a refusal crosses as its facts, since a thrown one would lose its class. */
export type DslVerdict =
  | { readonly ok: true; readonly value: ReadDsl | string }
  | { readonly ok: false; readonly facts: ErrorFacts['dsl_invalid'] }

/** @throws DomainError `dsl_invalid` */
export function doTask(task: DslTask): ReadDsl | string {
  return task.kind === 'read' ? readDsl(task.source) : writeDsl(task.source, task.choices)
}
