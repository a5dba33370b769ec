import type { AppMode } from './app-mode.ts'
import type { SubjectType } from './subject.ts'
import type { AccountStatus, Role } from './workspace.ts'

type Facts = {
  'oauth.device_code_issued': { clientId: string; deviceLabel: string; ip: string }
  'oauth.device_flow_approved': {
    tokenId: string
    subjectType: SubjectType
    subjectEmail: string
    subjectIssuer: string | null
    accountId: string | null
    tenantId: string | null
    clientId: string
    deviceLabel: string
    scopes: readonly string[]
    expiresAt: string
    rotated: boolean
    ip: string
  }
  'oauth.device_flow_denied': { accountId: string; clientId: string; deviceLabel: string; ip: string }
  'oauth.device_flow_rejected': { reason: string; clientId: string | null; ip: string }
  'oauth.device_code_cross_ip_poll': { tokenId: string; creationIp: string; pollIp: string }
  'oauth.token_picked_up': { tokenId: string; clientId: string; ip: string }
  'oauth.token_revoked': { tokenId: string; subjectType: SubjectType; accountId: string | null; reason: string }
  'oauth.token_expired': { tokenId: string }
  'console.login': { accountId: string; ip: string }
  'console.login_failed': { accountId: string | null; ip: string }
  'account.status_changed': { accountId: string; status: AccountStatus }
  'workspace.member_added': { tenantId: string; accountId: string; memberId: string; role: Role }
  'workspace.member_role_changed': { tenantId: string; accountId: string; memberId: string; role: Role }
  'workspace.member_removed': { tenantId: string; accountId: string; memberId: string }
  'app.imported': { appId: string; tenantId: string; accountId: string; mode: AppMode; replaced: boolean }
  'app.api_changed': { appId: string; tenantId: string; accountId: string; enabled: boolean }
  'rate_limit.hit': { limit: string; ip: string | null; accountId: string | null }
  'app.run.openapi': {
    appId: string
    tenantId: string
    callerKind: 'account' | 'end_user'
    mode: AppMode
    surface: 'apps'
    tokenId: string
  }
  'openapi.wrong_surface_denied': { tokenId: string; subjectType: SubjectType; route: string }
}

export type AuditEventName = keyof Facts

/** Every event there is; one that is left out does not compile. */
const NAMES: Readonly<Record<AuditEventName, true>> = {
  'oauth.device_code_issued': true,
  'oauth.device_flow_approved': true,
  'oauth.device_flow_denied': true,
  'oauth.device_flow_rejected': true,
  'oauth.device_code_cross_ip_poll': true,
  'oauth.token_picked_up': true,
  'oauth.token_revoked': true,
  'oauth.token_expired': true,
  'console.login': true,
  'console.login_failed': true,
  'account.status_changed': true,
  'workspace.member_added': true,
  'workspace.member_role_changed': true,
  'workspace.member_removed': true,
  'app.imported': true,
  'app.api_changed': true,
  'rate_limit.hit': true,
  'app.run.openapi': true,
  'openapi.wrong_surface_denied': true,
}

/** Whether `name` is an event of ours. */
export function isAuditEventName(name: string): name is AuditEventName {
  return Object.hasOwn(NAMES, name)
}

export const AUDIT_EVENT_NAMES: readonly string[] = Object.keys(NAMES)

/** Something that must be answerable later. Carries ids only: never a token, a hash, a device code or a user code. */
export type AuditEvent = {
  [Name in AuditEventName]: { readonly event: Name; readonly facts: Readonly<Facts[Name]> }
}[AuditEventName]

/** The facts under the names that rows and log lines keep them by. */
export function auditFacts({
  facts,
}: AuditEvent): Readonly<Record<string, string | boolean | null | readonly string[]>> {
  return Object.fromEntries(Object.entries(facts).map(([name, fact]) => [snakeCase(name), fact]))
}

const snakeCased = new Map<string, string>()

/** Remembered: there are few names, and every request that is audited asks for some. */
function snakeCase(name: string): string {
  const known = snakeCased.get(name) ?? name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
  snakeCased.set(name, known)
  return known
}
