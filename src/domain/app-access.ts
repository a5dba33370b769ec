import { isEmail, normaliseEmail } from './email.ts'
import type { SubjectType } from './subject.ts'

/** Whom an app admits on Enterprise. */
export const ACCESS_MODES = ['public', 'sso_verified', 'private_all', 'private'] as const
export type AccessMode = (typeof ACCESS_MODES)[number]

/** An app that nobody gave a mode. */
export const DEFAULT_ACCESS_MODE: AccessMode = 'private_all'

/** Who may use a `private` app: one person, everybody of a mail domain, or a group of the identity provider. */
export type AccessGrant = { readonly type: 'email' | 'domain' | 'group'; readonly value: string }

const MAX_VALUE_LENGTH = 255

/** What `mode` says of such a subject; `ask` when only the grants can tell. A mode of the future admits nobody. */
export function aclVerdict(mode: string | null, subjectType: SubjectType): 'admit' | 'refuse' | 'ask' {
  switch (mode === null || mode === '' ? DEFAULT_ACCESS_MODE : mode) {
    case 'public':
    case 'sso_verified':
      return 'admit'
    case 'private_all':
      return subjectType === 'account' ? 'admit' : 'refuse'
    case 'private':
      return 'ask'
    default:
      return 'refuse'
  }
}

/** Every grant that would let this person in. */
export function grantsOf(email: string, groups: readonly string[]): readonly AccessGrant[] {
  const address = normaliseEmail(email)
  return [
    { type: 'email', value: address },
    { type: 'domain', value: address.slice(address.lastIndexOf('@') + 1) },
    ...groups.map((value) => ({ type: 'group' as const, value })),
  ]
}

/** The grant that `eve@company.example`, `@company.example` or `group:NAME` stands for; null for anything else. */
export function parseGrant(text: string): AccessGrant | null {
  const value = text.trim()
  if (value.length > MAX_VALUE_LENGTH || value.includes('\0') || !value.isWellFormed()) return null
  if (value.startsWith('group:')) {
    const group = value.slice('group:'.length).trim()
    return group === '' ? null : { type: 'group', value: group }
  }
  if (/^@[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(value)) return { type: 'domain', value: value.slice(1).toLowerCase() }
  return isEmail(value) ? { type: 'email', value: normaliseEmail(value) } : null
}

/** As `parseGrant` reads it. */
export function formatGrant({ type, value }: AccessGrant): string {
  return { email: value, domain: `@${value}`, group: `group:${value}` }[type]
}

/** Whether `text` is a mode of ours. */
export function isAccessMode(text: string): text is AccessMode {
  return ACCESS_MODES.some((mode) => mode === text)
}
