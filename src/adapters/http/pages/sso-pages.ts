import type { UseCases } from '#application/use-cases.ts'
import { EXTERNAL_TOKEN } from '#domain/token-kind.ts'
import { type Answer, view } from './answer.ts'
import type { TextKey } from './text-en.ts'
import { type Visit, type Visitor, withCode } from './visit.ts'
import { permissionsIn } from './words.ts'

/** Whether people can sign in with their company here: as `system-features` says. */
export async function offersSso(cases: UseCases): Promise<boolean> {
  return (await cases.describeFeatures()).sso
}

type Outcome = {
  /** Refusals of the approval routes that it tells of; `deny` and `approved` are decisions. */
  readonly codes: string
  readonly mark: 'good-mark' | 'no-mark' | 'bad-mark'
  readonly title: TextKey
  readonly sentence: TextKey
  readonly label: TextKey
}

/** Every ending of a company sign-on; `fault` is all the rest. The script picks one; texts stay in the catalogue. */
const OUTCOMES: readonly Outcome[] = [
  {
    codes: 'approved',
    mark: 'good-mark',
    title: 'done.approved',
    sentence: 'done.approvedHint',
    label: 'done.another',
  },
  { codes: 'denied', mark: 'no-mark', title: 'done.denied', sentence: 'sso.denied', label: 'done.another' },
  {
    codes: 'expired_or_unknown user_code_not_pending user_code_mismatch state_lost not_found',
    mark: 'bad-mark',
    title: 'problem.codeGone',
    sentence: 'problem.codeLost',
    label: 'go.code',
  },
  {
    codes: 'no_session invalid_session session_already_consumed csrf_mismatch',
    mark: 'bad-mark',
    title: 'problem.sessionGone',
    sentence: 'problem.ssoGone',
    label: 'go.code',
  },
  {
    codes: 'email_belongs_to_dify_account',
    mark: 'bad-mark',
    title: 'sso.accountEmail',
    sentence: 'sso.accountEmailHint',
    label: 'go.back',
  },
  {
    codes: 'bearer_auth_disabled',
    mark: 'bad-mark',
    title: 'problem.off',
    sentence: 'problem.offHint',
    label: 'go.back',
  },
  { codes: 'rate_limited', mark: 'bad-mark', title: 'problem.tooMany', sentence: 'problem.wait', label: 'go.back' },
  { codes: 'fault', mark: 'bad-mark', title: 'problem.unverified', sentence: 'problem.fault', label: 'go.back' },
]

/** Consent of a person known only to the company. The script fills it: no cookie of that sign-on reaches a page. */
export function ssoPage({ cases, http, words, ip }: Visit): Answer {
  return view('sso', null, {
    title: words.say('consent.title'),
    browserIp: ip,
    // The browser's own clock may be wrong by years.
    nowMs: String(http.now()),
    permissions: permissionsIn(words, EXTERNAL_TOKEN.scopes),
    until: words.instant(cases.tokenExpiry(http.now())),
    outcomes: OUTCOMES.map(({ codes, mark, title, sentence, label }) => ({
      codes,
      mark,
      title: words.say(title),
      sentence: words.say(sentence, { wait: words.wait(3_600_000) }),
      wayOut: '/device',
      wayOutLabel: words.say(label),
    })),
  })
}

const SSO_ERRORS: Readonly<Record<string, { readonly title: TextKey; readonly sentence: TextKey }>> = {
  sso_failed: { title: 'sso.failed', sentence: 'sso.failedHint' },
  email_belongs_to_dify_account: { title: 'sso.accountEmail', sentence: 'sso.accountEmailHint' },
  access_denied: { title: 'sso.blocked', sentence: 'sso.blockedHint' },
}

/** What the address says became of a company sign-on; null when it says nothing that we know. */
export function ssoErrorPage({ query, words, userCode }: Visit, who: Visitor | null): Answer | null {
  const asked = query.sso_error ?? ''
  // Anything else in an address is somebody's own text, and is not shown (RFC 9700 §4.11).
  const told = Object.hasOwn(SSO_ERRORS, asked) ? SSO_ERRORS[asked] : undefined
  if (told === undefined) return null
  const usesAccount = asked === 'email_belongs_to_dify_account'
  return view('problem', who, {
    title: words.say(told.title),
    sentence: words.say(told.sentence),
    wayOut: withCode(usesAccount ? '/signin' : '/device', userCode),
    wayOutLabel: words.say(usesAccount ? 'go.signIn' : 'go.code'),
  })
}
