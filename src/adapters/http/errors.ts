import type { Context } from 'koa'
import { DomainError, type ErrorCode, type ErrorFacts } from '#domain/errors.ts'
import { answerJson, setHead } from './answer.ts'
import { errorTable, type Row } from './error-table.ts'

const STATUS_NAMES: Readonly<Record<number, string>> = {
  400: 'bad_request',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not_found',
  405: 'method_not_allowed',
  408: 'request_timeout',
  409: 'conflict',
  413: 'payload_too_large',
  415: 'unsupported_media_type',
  422: 'unprocessable_entity',
  429: 'too_many_requests',
  431: 'request_header_fields_too_large',
  500: 'internal_server_error',
  502: 'bad_gateway',
  503: 'service_unavailable',
}

/** One refusal, as every client era can read it. */
export type ErrorBody = {
  readonly error: string
  readonly code: string
  readonly message: string
  readonly status: number
}

export type RenderedError = {
  readonly status: number
  readonly body: ErrorBody & Readonly<Record<string, unknown>>
  readonly headers: Readonly<Record<string, string>>
}

/** The answer to a refusal of the core. */
export function renderError<C extends ErrorCode>(code: C, facts: ErrorFacts[C]): RenderedError {
  const row: Row<ErrorFacts[C]> = errorTable[code]
  const name = row.code ?? STATUS_NAMES[row.status] ?? 'error'
  const error = row.error ?? (row.sentence === undefined ? code : name)
  const message = (row.sentence ?? row.message)?.(facts) ?? error
  return {
    status: row.status,
    body: { error, code: name, message, status: row.status, ...row.body?.(facts) },
    headers: row.headers?.(facts) ?? {},
  }
}

/** Writes whatever was thrown. Everything that is not a refusal is a fault of ours and says nothing about us. */
export function writeError(ctx: Context, thrown: unknown): void {
  const { status, body, headers } =
    thrown instanceof DomainError ? renderError(thrown.code, thrown.facts) : renderError('internal_server_error', {})
  for (const [name, value] of Object.entries(headers)) setHead(ctx, name, value)
  answerJson(ctx, status, body)
}
