import { DomainError, type ErrorCode, type ErrorFacts } from '#domain/errors.ts'
import { renderError } from '../errors.ts'
import { type Answer, view } from './answer.ts'
import { withCode } from './visit.ts'
import { waitInWords } from './words.ts'

type Problem = { readonly title: string; readonly sentence: string; readonly to: string; readonly label: string }
type Tell<C extends ErrorCode> = (facts: ErrorFacts[C], userCode: string | null) => Problem

const ANOTHER_CODE = { to: '/device', label: 'Enter another code' }
const CODE_GONE = 'Code no longer valid'
const SESSION_GONE = 'This session is no longer valid'

const again = (userCode: string | null) => ({ to: withCode('/device', userCode), label: 'Try again' })

/** What people read instead of a code. The ones missing here are no fault of theirs and share one sentence. */
const problems: { readonly [C in ErrorCode]?: Tell<C> } = {
  expired_or_unknown: () => ({
    title: CODE_GONE,
    sentence: 'This code is wrong or has expired. Ask your terminal for a new one.',
    ...ANOTHER_CODE,
  }),
  already_resolved: () => ({
    title: CODE_GONE,
    sentence: 'Somebody decided about this code already. Ask your terminal for a new one.',
    ...ANOTHER_CODE,
  }),
  state_lost: () => ({
    title: CODE_GONE,
    sentence: 'The code expired, or was decided elsewhere, just now. Ask your terminal for a new one.',
    ...ANOTHER_CODE,
  }),
  approve_in_progress: (_facts, userCode) => ({
    title: 'Could not verify the code',
    sentence: 'Another window is deciding about this code right now. Wait a few seconds.',
    ...again(userCode),
  }),
  rate_limited: ({ retryAfterMs }, userCode) => ({
    title: 'Too many attempts',
    sentence: `Wait ${waitInWords(retryAfterMs)}, then try again.`,
    ...again(userCode),
  }),
  unauthorized: (_facts, userCode) => ({
    title: SESSION_GONE,
    sentence: 'You were signed out, so nothing was changed. Sign in to go on.',
    to: withCode('/signin', userCode),
    label: 'Sign in',
  }),
  csrf_mismatch: (_facts, userCode) => ({
    title: SESSION_GONE,
    sentence: 'You signed in again since this page was opened, so nothing was changed.',
    to: withCode('/device', userCode),
    label: 'Open the page again',
  }),
  account_not_initialized: () => ({
    title: 'Your account is not ready',
    sentence: 'It was never activated. Ask whoever runs this server to finish it.',
    to: '/device',
    label: 'Back',
  }),
  bearer_auth_disabled: (_facts, userCode) => ({
    title: 'Signing in from terminals is off',
    sentence: 'Whoever runs this server turned it off. Nothing was changed.',
    ...again(userCode),
  }),
  foreign_origin: () => ({
    title: 'Sent from another site',
    sentence: 'This form was not sent from our own pages, so nothing was changed.',
    to: '/device',
    label: 'Go to our own page',
  }),
  already_setup: () => ({
    title: 'Already set up',
    sentence: 'The first account exists. Sign in with it.',
    to: '/signin',
    label: 'Sign in',
  }),
  session_not_found: () => ({
    title: 'No such terminal',
    sentence: 'It is not one of yours, or it was removed.',
    to: '/device/sessions',
    label: 'Your terminals',
  }),
}

/** The page for anything thrown, and headers that belong to it. */
export function problemPage(thrown: unknown, userCode: string | null, isAboutCode: boolean) {
  const error = thrown instanceof DomainError ? thrown : new DomainError('internal_server_error', {})
  const { status, headers } = renderError(error.code, error.facts)
  const { title, sentence, to, label } = tell(error, userCode) ?? fault(status, userCode, isAboutCode)
  const answer: Answer = view('problem', null, { title, sentence, wayOut: to, wayOutLabel: label }, status)
  return { answer, headers }
}

function tell<C extends ErrorCode>({ code, facts }: DomainError<C>, userCode: string | null): Problem | undefined {
  return problems[code]?.(facts, userCode)
}

function fault(status: number, userCode: string | null, isAboutCode: boolean): Problem {
  const title = isAboutCode ? 'Could not verify the code' : 'Something went wrong'
  return status < 500
    ? { title, sentence: 'The server could not read what was sent. Try again.', ...again(userCode) }
    : { title, sentence: 'The server could not answer. Try again in a moment.', ...again(userCode) }
}
