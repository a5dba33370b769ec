import { DomainError } from '#domain/errors.ts'

/** Of an app file. */
export const MAX_BYTES = 10 * 1024 * 1024

/** @throws DomainError `dsl_invalid` */
export function refuse(message: string): never {
  throw new DomainError('dsl_invalid', { message })
}
