import type { RunFailure } from '#domain/run.ts'

/** What a caller learns of a fault of ours: only that there was one. */
export const SERVER_FAULT: RunFailure = {
  code: 'internal_server_error',
  message: 'The run failed because of a fault in the server.',
}
