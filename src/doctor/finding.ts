import { startFault } from '../start-fault.ts'

/** What one look found: one line of what, and one of how to mend it when there is something to mend. No secret in either. */
export type Finding = {
  readonly check: string
  readonly status: 'ok' | 'warn' | 'fail'
  readonly what: string
  readonly fix: string | null
}

export function ok(check: string, what: string): Finding {
  return { check, status: 'ok', what, fix: null }
}

export function warn(check: string, what: string, fix: string): Finding {
  return { check, status: 'warn', what, fix }
}

export function fail(check: string, what: string, fix: string): Finding {
  return { check, status: 'fail', what, fix }
}

const MAX_REASON = 200

/** Why something could not be reached or used, in one line; `secrets` are struck out wherever a driver quotes them. */
export function reasonOf(error: unknown, secrets: readonly (string | null)[] = []): string {
  const [line = ''] = startFault(error).split('\n')
  const known = secrets.flatMap((secret) =>
    secret === null || secret === '' ? [] : [secret, encodeURIComponent(secret)],
  )
  return known.reduce((text, secret) => text.replaceAll(secret, '***'), line).slice(0, MAX_REASON)
}

/** Looks for no longer than `ms`, and turns what nobody expected into a finding. */
export async function within(
  check: string,
  ms: number,
  look: () => Promise<readonly Finding[]>,
  fix: string,
): Promise<readonly Finding[]> {
  let handle: NodeJS.Timeout | undefined
  const late = new Promise<readonly Finding[]>((resolve) => {
    handle = setTimeout(() => resolve([fail(check, `no answer within ${ms / 1000} s`, fix)]), ms)
  })
  try {
    return await Promise.race([look(), late])
  } catch (error) {
    return [fail(check, reasonOf(error), fix)]
  } finally {
    clearTimeout(handle)
  }
}
