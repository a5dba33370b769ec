import { DomainError, type ErrorCode, type ErrorFacts } from '#domain/errors.ts'
import { renderError } from '../errors.ts'
import { type Answer, view } from './answer.ts'
import type { TextKey } from './text-en.ts'
import { SESSIONS, withCode } from './visit.ts'
import type { Words } from './words.ts'

type Problem = {
  readonly title: TextKey
  readonly sentence: TextKey
  /** How long `sentence` says to wait. */
  readonly waitMs?: number
  readonly to: string
  readonly label: TextKey
}
type Tell<C extends ErrorCode> = (facts: ErrorFacts[C], userCode: string | null) => Problem

const CODE_GONE = { title: 'problem.codeGone', to: '/device', label: 'go.code' } as const
const SESSION_GONE = { title: 'problem.sessionGone' } as const

const again = (userCode: string | null) => ({ to: withCode('/device', userCode), label: 'go.again' }) as const

/** What people read instead of a code. The ones missing here are no fault of theirs and share one sentence. */
const problems: { readonly [C in ErrorCode]?: Tell<C> } = {
  expired_or_unknown: () => ({ ...CODE_GONE, sentence: 'problem.codeUnknown' }),
  already_resolved: () => ({ ...CODE_GONE, sentence: 'problem.codeDecided' }),
  state_lost: () => ({ ...CODE_GONE, sentence: 'problem.codeLost' }),
  approve_in_progress: (_facts, userCode) => ({
    title: 'problem.unverified',
    sentence: 'problem.busy',
    ...again(userCode),
  }),
  rate_limited: ({ retryAfterMs }, userCode) => ({
    title: 'problem.tooMany',
    sentence: 'problem.wait',
    waitMs: retryAfterMs,
    ...again(userCode),
  }),
  unauthorized: (_facts, userCode) => ({
    ...SESSION_GONE,
    sentence: 'problem.signedOut',
    to: withCode('/signin', userCode),
    label: 'go.signIn',
  }),
  csrf_mismatch: (_facts, userCode) => ({
    ...SESSION_GONE,
    sentence: 'problem.signedInAgain',
    to: withCode('/device', userCode),
    label: 'go.reopen',
  }),
  account_not_initialized: () => ({
    title: 'problem.notReady',
    sentence: 'problem.notReadyHint',
    to: '/device',
    label: 'go.back',
  }),
  bearer_auth_disabled: (_facts, userCode) => ({
    title: 'problem.off',
    sentence: 'problem.offHint',
    ...again(userCode),
  }),
  foreign_origin: () => ({ title: 'problem.foreign', sentence: 'problem.foreignHint', to: '/device', label: 'go.own' }),
  already_setup: () => ({ title: 'problem.setUp', sentence: 'problem.setUpHint', to: '/signin', label: 'go.signIn' }),
  session_not_found: () => ({
    title: 'problem.noTerminal',
    sentence: 'problem.noTerminalHint',
    to: SESSIONS,
    label: 'go.sessions',
  }),
}

/** The page for anything thrown, and headers that belong to it. */
export function problemPage(thrown: unknown, words: Words, userCode: string | null, path: string) {
  const error = thrown instanceof DomainError ? thrown : new DomainError('internal_server_error', {})
  const { status, headers } = renderError(error.code, error.facts)
  const told = tell(error, userCode) ?? fault(status, userCode, path === '/device' || path === '/device/decide')
  return { answer: pageOf(isAboutTerminals(path, told) ? backToTerminals(told) : told, words, status), headers }
}

const NO_PAGE = { title: 'problem.noPage', sentence: 'problem.noPageHint', to: '/device', label: 'go.device' } as const

/** The page for an address at which nobody can look at anything, and headers that belong to it. */
export function missingPage({ code, facts }: DomainError, words: Words) {
  const { status, headers } = renderError(code, facts)
  return { answer: pageOf(NO_PAGE, words, status), headers }
}

function pageOf({ title, sentence, waitMs = 0, to, label }: Problem, words: Words, status: number): Answer {
  return view(
    'problem',
    null,
    {
      title: words.say(title),
      sentence: words.say(sentence, { wait: words.wait(waitMs) }),
      wayOut: to,
      wayOutLabel: words.say(label),
    },
    status,
  )
}

function tell<C extends ErrorCode>({ code, facts }: DomainError<C>, userCode: string | null): Problem | undefined {
  return problems[code]?.(facts, userCode)
}

function fault(status: number, userCode: string | null, isAboutCode: boolean): Problem {
  const title = isAboutCode ? 'problem.unverified' : 'problem.wrong'
  const sentence = status < 500 ? 'problem.unread' : 'problem.fault'
  return { title, sentence, ...again(userCode) }
}

function isAboutTerminals(path: string, { to }: Problem): boolean {
  return path.startsWith(SESSIONS) && to !== SESSIONS
}

/** Whoever was signed out while looking at their terminals comes back to them. */
function backToTerminals(problem: Problem): Problem {
  return { ...problem, to: problem.label === 'go.signIn' ? `/signin?return_to=${SESSIONS}` : SESSIONS }
}
