import type { ErrorReply } from './api-schemas.ts'
import { EXIT, type ExitCode, TerminalFailure } from './terminal-failure.ts'

/** The server's own "no", with what a caller needs to decide whether to try again. */
export class ApiRefusal extends TerminalFailure {
  readonly status: number
  readonly retryAfterS: number | null
  /** What a poll must wait from now on, when the answer says so (RFC 8628 §3.5). */
  readonly intervalS: number | null

  constructor(status: number, retryAfter: string | null, body: ErrorReply, signInHint: string | null = null) {
    const retryAfterS = secondsOf(retryAfter)
    const said = status === 401 && signInHint !== null ? signInHint : sentence(status, retryAfterS, body)
    super(exitCodeOf(status), body.error ?? body.code ?? `http_${status}`, said)
    this.status = status
    this.retryAfterS = retryAfterS
    this.intervalS = body.interval ?? null
  }
}

/** The server could not be reached, or the connection broke. */
export class ServerUnreachable extends TerminalFailure {
  constructor(server: string, cause: unknown) {
    super(EXIT.failure, 'server_unreachable', `could not reach ${server}${reason(cause)}`, { cause })
  }
}

function exitCodeOf(status: number): ExitCode {
  if (status === 401 || status === 403) return EXIT.auth
  return status === 429 ? EXIT.rateLimited : EXIT.failure
}

function sentence(status: number, retryAfterS: number | null, body: ErrorReply): string {
  if (status === 401) return 'not signed in, or the session has ended: run latchkey login'
  if (status === 429) return `too many requests${retryAfterS === null ? '' : `: try again in ${retryAfterS} s`}`
  const issues = body.details?.flatMap(({ loc, msg }) => (msg === undefined ? [] : [withPlace(loc, msg)])) ?? []
  const text =
    issues.length > 0 ? issues.join('; ') : (body.message ?? body.error_description ?? body.error ?? `HTTP ${status}`)
  return body.hint === undefined ? text : `${text} (${body.hint})`
}

function withPlace(loc: readonly (string | number)[] | undefined, msg: string): string {
  const place = loc?.join('.') ?? ''
  return place === '' ? msg : `${place}: ${msg}`
}

function secondsOf(retryAfter: string | null): number | null {
  return retryAfter !== null && /^\d{1,6}$/.test(retryAfter) ? Number(retryAfter) : null
}

/** `fetch` says only "fetch failed"; the system's reason is the code of its cause. */
function reason(cause: unknown): string {
  if (!(cause instanceof Error)) return ''
  if (cause.name === 'TimeoutError') return ' (no answer in time)'
  const inner = cause.cause
  const code = inner instanceof Error && 'code' in inner && typeof inner.code === 'string' ? inner.code : ''
  return `${code === '' ? '' : ` (${code})`}${WHAT_TO_DO[code] ?? ''}`
}

/** A first server on another port than the usual one, and a slip in a name, are both mended by the same option. */
const WHAT_TO_DO: Readonly<Record<string, string>> = {
  ECONNREFUSED: ': nothing serves there; --host or LATCHKEY_HOST names another server',
  ENOTFOUND: ': there is no such host; --host or LATCHKEY_HOST names another server',
  DEPTH_ZERO_SELF_SIGNED_CERT: ': its certificate is its own; NODE_EXTRA_CA_CERTS names a file with one to trust',
  SELF_SIGNED_CERT_IN_CHAIN:
    ': nobody known signed its certificate; NODE_EXTRA_CA_CERTS names a file with one to trust',
}
