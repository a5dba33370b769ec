import type * as v from 'valibot'
import type { ApiClient } from './api-client.ts'
import { ApiRefusal, ServerUnreachable } from './api-refusal.ts'
import { type DeviceCodeReply, TokenReply } from './api-schemas.ts'
import { EXIT, TerminalFailure } from './terminal-failure.ts'

export const CLIENT_ID = 'latchkey'
const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:device_code'
const SLOW_DOWN_STEP_S = 5
const MAX_BACK_OFF_S = 60
/** A server may not keep a terminal waiting longer than this, whatever it says. */
const MAX_LIFE_S = 3600

type Challenge = v.InferOutput<typeof DeviceCodeReply>
type Waiting = {
  readonly api: ApiClient
  readonly now: () => number
  /** Waits `delayS`, however the caller likes to show it. */
  readonly pause: (delayS: number) => Promise<void>
  /** Told when the wait is no longer the plain one. */
  readonly onTrouble: (message: string) => void
}

/**
 * Polls until the person has decided (RFC 8628 §3.4–3.5). The first poll comes one interval after the code, the last
 * at its end: a server may let an approval in the last second be picked up.
 * @throws TerminalFailure (auth) when denied or expired.
 */
export async function waitForApproval(
  challenge: Challenge,
  waiting: Waiting,
): Promise<v.InferOutput<typeof TokenReply>> {
  const endsAtMs = waiting.now() + Math.min(challenge.expires_in, MAX_LIFE_S) * 1000
  let intervalS = challenge.interval
  let waitS = intervalS
  let failures = 0
  while (true) {
    await waiting.pause(Math.min(waitS, Math.max(0, endsAtMs - waiting.now()) / 1000))
    const lastChance = waiting.now() >= endsAtMs
    try {
      return await poll(waiting.api, challenge.device_code)
    } catch (error) {
      const next = afterRefusal(error, intervalS, failures)
      if (next === null) throw decided(error)
      if (lastChance) throw expired(error)
      if (next.trouble !== null) waiting.onTrouble(next.trouble)
      intervalS = next.intervalS
      waitS = next.waitS
      failures = next.failures
    }
  }
}

type Next = { intervalS: number; waitS: number; failures: number; trouble: string | null }

/** How to go on, or null when the server has spoken its last word. */
function afterRefusal(error: unknown, intervalS: number, failures: number): Next | null {
  if (error instanceof ApiRefusal && error.token === 'authorization_pending') {
    return { intervalS, waitS: Math.max(intervalS, error.retryAfterS ?? 0), failures: 0, trouble: null }
  }
  if (error instanceof ApiRefusal && error.token === 'slow_down') {
    // The interval only grows (§3.5): an answer that names none, or a smaller one, still means five seconds more.
    const named = error.intervalS ?? 0
    const grown = named > intervalS ? named : intervalS + SLOW_DOWN_STEP_S
    const waitS = Math.max(grown, error.retryAfterS ?? 0)
    return { intervalS: grown, waitS, failures: 0, trouble: null }
  }
  if (!isPassing(error)) return null
  // Exponential back-off on a lost connection (§3.5); a 429 from a proxy in between is no end either.
  const backOffS = Math.min(intervalS * 2 ** (failures + 1), MAX_BACK_OFF_S)
  const askedS = error instanceof ApiRefusal ? (error.retryAfterS ?? 0) : 0
  const waitS = Math.max(backOffS, askedS)
  const reason = error instanceof ApiRefusal ? `the server answered ${error.status}` : error.message
  return { intervalS, waitS, failures: failures + 1, trouble: `${reason}; trying again in ${Math.ceil(waitS)} s` }
}

function isPassing(error: unknown): error is ApiRefusal | ServerUnreachable {
  return (
    error instanceof ServerUnreachable || (error instanceof ApiRefusal && (error.status === 429 || error.status >= 500))
  )
}

function decided(error: unknown): unknown {
  if (!(error instanceof ApiRefusal)) return error
  if (error.token === 'expired_token') return expired(error)
  if (error.token === 'access_denied') {
    return new TerminalFailure(EXIT.auth, 'access_denied', 'the request was denied in the browser', { cause: error })
  }
  return error
}

function expired(cause: unknown): TerminalFailure {
  const message = 'the code is no longer valid: run latchkey login again'
  return new TerminalFailure(EXIT.auth, 'expired_token', message, { cause })
}

function poll(api: ApiClient, deviceCode: string) {
  const body = { grant_type: GRANT_TYPE, device_code: deviceCode, client_id: CLIENT_ID }
  return api.call({ method: 'POST', path: '/oauth/device/token', body }, TokenReply)
}
