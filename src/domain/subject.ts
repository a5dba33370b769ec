/** A person behind a token: one with an account here, or one known only to a company's identity provider. */
export type Subject =
  | { readonly type: 'account'; readonly accountId: string; readonly email: string }
  | { readonly type: 'external_sso'; readonly email: string; readonly issuer: string }

export type SubjectType = Subject['type']

/** The issuer stored for account tokens, so that the active-device index has no null in it. */
export const ACCOUNT_ISSUER = 'dify:account'

/** Stable name of the subject for limits and caches; never shown. */
export function subjectKey(subject: Subject): string {
  return subject.type === 'account' ? `account:${subject.accountId}` : `external:${subject.issuer}:${subject.email}`
}
