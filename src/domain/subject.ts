/** A person behind a token: one with an account here, or one known only to a company's identity provider. */
export type Subject =
  | { readonly type: 'account'; readonly accountId: string; readonly email: string }
  | { readonly type: 'external_sso'; readonly email: string; readonly issuer: string }

export type SubjectType = Subject['type']

/** The issuer stored for account tokens, so that the active-device index has no null in it. */
export const ACCOUNT_ISSUER = 'dify:account'

/** Whether both are one person by one way of signing in: an email alone never makes them the same. */
export function sameSubject(a: Subject, b: Subject): boolean {
  if (a.type === 'account') return b.type === 'account' && a.accountId === b.accountId
  return b.type === 'external_sso' && a.email === b.email && a.issuer === b.issuer
}

/** Stable name of the subject for limits and caches; never shown. */
export function subjectKey(subject: Subject): string {
  return subject.type === 'account' ? `account:${subject.accountId}` : `external:${subject.issuer}:${subject.email}`
}
