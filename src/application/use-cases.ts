import type { App } from '#domain/app.ts'
import { normaliseEmail } from '#domain/email.ts'
import type { Page, PageRequest } from '#domain/page.ts'
import { expiryOf } from '#domain/ttl-policy.ts'
import { makeAclAccess } from './auth/acl-access.ts'
import { type ApprovalGuards, makeApprovalGuards } from './auth/approval-grant.ts'
import { type Authenticate, type BearerSettings, makeAuthenticate } from './auth/authenticate.ts'
import { makeAppChecks, mountAccount } from './auth/checks.ts'
import { type ConsoleGuards, makeConsoleGuards } from './auth/console-session.ts'
import { makeExpireToken } from './auth/expire-token.ts'
import { makeForgetAccount } from './auth/forget-account.ts'
import { makeRequireMembership } from './auth/layer-zero.ts'
import { makeMembershipAccess } from './auth/membership-access.ts'
import { makeMountEndUser } from './auth/mount-end-user.ts'
import { type Asked, type Mounted, pipeline } from './auth/pipeline.ts'
import { makeRequireSubject, type RequireSubject } from './auth/require-subject.ts'
import { makeNoteLimitHit, makeSpend, type Spend } from './auth/spend.ts'
import { makeTokenUsage, type TokenUsage } from './auth/token-use.ts'
import type { AccountDirectory, MembershipDirectory } from './ports/account-directory.ts'
import type { AccountLifecycle } from './ports/account-lifecycle.ts'
import type { AccessPolicy, AppAccessStore } from './ports/app-access.ts'
import type { AppCatalog } from './ports/app-catalog.ts'
import type { AppRunner } from './ports/app-runner.ts'
import type { AuditLog } from './ports/audit-log.ts'
import type { BindingStore } from './ports/bindings.ts'
import type { Clock, Timer } from './ports/clock.ts'
import type { ConsoleTokens } from './ports/console-tokens.ts'
import type { ConversationStore } from './ports/conversation-store.ts'
import type { DeviceFlowStore } from './ports/device-flow-store.ts'
import type { DslFiles } from './ports/dsl-files.ts'
import type { EndUsers } from './ports/end-users.ts'
import type { ExternalDirectory } from './ports/external-directory.ts'
import type { IdentityBridge } from './ports/identity-bridge.ts'
import type { Log } from './ports/log.ts'
import type { NonceGuard } from './ports/nonce-guard.ts'
import type { PasswordHasher } from './ports/password-hasher.ts'
import type { RateLimiter } from './ports/rate-limiter.ts'
import type { ReadAudit } from './ports/read-audit.ts'
import type { RefreshTokenStore } from './ports/refresh-token-store.ts'
import type { RunControl } from './ports/run-control.ts'
import type { RunLog } from './ports/run-log.ts'
import type { RunPauses } from './ports/run-pauses.ts'
import type { RunSlots } from './ports/run-slots.ts'
import type { RunStore } from './ports/run-store.ts'
import type { Digest, NewId, RandomBytes, SameSecret, SecretBox, TokenSeal } from './ports/secrets.ts'
import type { SsoSealer } from './ports/sso-sealer.ts'
import type { TokenCache } from './ports/token-cache.ts'
import type { PruneTokens } from './ports/token-pruner.ts'
import type { TokenStore } from './ports/token-store.ts'
import type { RecordTokenUses } from './ports/token-usage.ts'
import type { UnitOfWork } from './ports/unit-of-work.ts'
import { type HumanForms, makeHumanForms } from './use-cases/answer-form.ts'
import { type ApproveDevice, makeApproveDevice } from './use-cases/approve-device.ts'
import { type ApproveExternal, makeApproveExternal } from './use-cases/approve-external.ts'
import { type BeginSso, makeBeginSso } from './use-cases/begin-sso.ts'
import { makeCarryRun, type Underway } from './use-cases/carry-run.ts'
import { type ChangeAccount, makeChangeAccount } from './use-cases/change-account.ts'
import { type ChangeExternal, makeChangeExternal } from './use-cases/change-external.ts'
import { type CheckApp, makeCheckApp } from './use-cases/check-app.ts'
import { type CompleteSso, makeCompleteSso } from './use-cases/complete-sso.ts'
import { type ConsoleSessions, makeConsoleSessions } from './use-cases/console-sessions.ts'
import { type CreateAccount, makeCreateAccount } from './use-cases/create-account.ts'
import { type DenyDevice, makeDenyDevice } from './use-cases/deny-device.ts'
import { type DescribeAccount, describeAccount } from './use-cases/describe-account.ts'
import { type DescribeApp, makeDescribeApp } from './use-cases/describe-app.ts'
import { type DescribeFeatures, makeDescribeFeatures } from './use-cases/describe-features.ts'
import { type ExportApp, makeExportApp } from './use-cases/export-app.ts'
import { type FinishSso, makeFinishSso } from './use-cases/finish-sso.ts'
import { makeSetUpGuard, type SetUpGuard } from './use-cases/guard-set-up.ts'
import { type HearLogout, makeHearLogout } from './use-cases/hear-logout.ts'
import { type ImportApp, makeImportApp } from './use-cases/import-app.ts'
import { type IntrospectToken, makeIntrospectToken } from './use-cases/introspect-token.ts'
import { type JoinRun, makeJoinRun } from './use-cases/join-run.ts'
import { type ListApps, makeListApps } from './use-cases/list-apps.ts'
import { type ListPermittedApps, makeListPermittedApps } from './use-cases/list-permitted-apps.ts'
import { type ListSessions, makeListSessions } from './use-cases/list-sessions.ts'
import { type LookUpUserCode, makeLookUpUserCode } from './use-cases/look-up-user-code.ts'
import { type ManageAppAccess, makeManageAppAccess } from './use-cases/manage-app-access.ts'
import { type ManageBindings, makeManageBindings } from './use-cases/manage-bindings.ts'
import { makePollToken, type PollToken } from './use-cases/poll-token.ts'
import { makePreviewApproval, type PreviewApproval } from './use-cases/preview-approval.ts'
import { makePruneEndedTokens, type PruneEndedTokens } from './use-cases/prune-tokens.ts'
import { randomText } from './use-cases/random-text.ts'
import { makeRevokeSession, type RevokeSession } from './use-cases/revoke-session.ts'
import { makeRevokeToken, type RevokeToken } from './use-cases/revoke-token.ts'
import { makeRunApp, type RunApp, type RunSettings } from './use-cases/run-app.ts'
import { makeSetUp, type SetUp } from './use-cases/set-up.ts'
import { makeStartDeviceFlow, type StartDeviceFlow } from './use-cases/start-device-flow.ts'
import { makeStopRun, type StopRun } from './use-cases/stop-run.ts'
import { makeSwitchWorkspace, type SwitchWorkspace } from './use-cases/switch-workspace.ts'
import { makeTendRuns, type TendRuns } from './use-cases/tend-runs.ts'

/** Everything the core asks of the outside. Only the composition root and the tests' world see all of it. */
export type Ports = {
  readonly flows: DeviceFlowStore
  readonly limiter: RateLimiter
  readonly cache: TokenCache
  readonly tokens: TokenStore
  readonly recordTokenUses: RecordTokenUses
  readonly pruneTokens: PruneTokens
  readonly accounts: AccountDirectory
  readonly lifecycle: AccountLifecycle
  readonly memberships: MembershipDirectory
  readonly apps: AppCatalog
  readonly bindings: BindingStore
  readonly secretBox: SecretBox
  readonly conversations: ConversationStore
  readonly runs: RunStore
  readonly runPauses: RunPauses
  readonly refreshTokens: RefreshTokenStore
  readonly audit: AuditLog
  readonly readAudit: ReadAudit
  readonly unitOfWork: UnitOfWork
  readonly consoleTokens: ConsoleTokens
  readonly passwords: PasswordHasher
  readonly seal: TokenSeal
  /** Null on the Community edition. */
  readonly bridge: IdentityBridge | null
  /** Who decides about apps on Enterprise; null on the Community edition. */
  readonly policy: AccessPolicy | null
  readonly appAccess: AppAccessStore
  readonly externals: ExternalDirectory
  readonly sealer: SsoSealer
  readonly nonces: NonceGuard
  readonly digest: Digest
  readonly sameSecret: SameSecret
  readonly randomBytes: RandomBytes
  readonly newId: NewId
  readonly runner: AppRunner
  readonly runLog: RunLog
  readonly runControl: RunControl
  readonly runSlots: RunSlots
  readonly dsl: DslFiles
  readonly endUsers: EndUsers
  readonly now: Clock
  readonly timer: Timer
  readonly log: Log
}

/** What an operator chose, as far as the core cares. */
export type CoreSettings = RunSettings & {
  readonly bearer: BearerSettings
  readonly knownClientIds: readonly string[]
  readonly tokenTtlDays: number
  readonly tokenRetentionDays: number
  readonly decidePerHour: number
  readonly accessMinutes: number
  readonly refreshDays: number
  /** Null lets whoever comes first set the server up. */
  readonly initPassword: string | null
  /** The trusted origin of the callbacks of an external sign-on. */
  readonly consoleApiUrl: string | null
  /** A remote Enterprise service keeps workspaces apart. */
  readonly remoteIsolation: boolean
}

export type UseCases = {
  readonly authenticate: Authenticate
  readonly admitToApp: (asked: Asked) => Promise<Mounted>
  readonly consoleGuards: ConsoleGuards
  readonly spend: Spend
  /** Somebody has to flush what it notes, now and then and at the end. */
  readonly tokenUsage: TokenUsage
  readonly owner: AccountDirectory['owner']
  readonly findAccount: AccountDirectory['findByEmail']
  readonly setUpGuard: SetUpGuard
  readonly setUp: SetUp
  readonly createAccount: CreateAccount
  readonly changeAccount: ChangeAccount
  readonly consoleSessions: ConsoleSessions
  readonly switchWorkspace: SwitchWorkspace
  readonly listWorkspaces: MembershipDirectory['list']
  readonly startDeviceFlow: StartDeviceFlow
  readonly lookUpUserCode: LookUpUserCode
  readonly previewApproval: PreviewApproval
  readonly approveDevice: ApproveDevice
  readonly denyDevice: DenyDevice
  readonly pollToken: PollToken
  /** When a token that is minted at `nowMs` runs out. */
  readonly tokenExpiry: (nowMs: number) => number
  readonly approvalGuards: ApprovalGuards
  /** A name for a browser that sets out for an external sign-on; a secret. */
  readonly newBrowserName: () => string
  readonly beginSso: BeginSso
  readonly finishSso: FinishSso
  readonly completeSso: CompleteSso
  readonly approveExternal: ApproveExternal
  readonly identityBridge: IdentityBridge | null
  readonly describeFeatures: DescribeFeatures
  readonly requireSubject: RequireSubject
  readonly listPermittedApps: ListPermittedApps
  readonly appAccess: ManageAppAccess
  readonly changeExternal: ChangeExternal
  readonly hearLogout: HearLogout
  readonly describeAccount: DescribeAccount
  readonly listSessions: ListSessions
  readonly revokeSession: RevokeSession
  readonly introspectToken: IntrospectToken
  readonly revokeToken: RevokeToken
  readonly pruneEndedTokens: PruneEndedTokens
  /** An operator's view. */
  readonly readAudit: ReadAudit
  readonly listApps: ListApps
  /** An operator's view: no bearer stands behind it. */
  readonly listWorkspaceApps: (workspaceId: string, page: PageRequest & { name?: string }) => Promise<Page<App>>
  readonly describeApp: DescribeApp
  readonly importApp: ImportApp
  readonly exportApp: ExportApp
  readonly checkApp: CheckApp
  readonly bindings: ManageBindings
  readonly runApp: RunApp
  readonly humanForms: HumanForms
  readonly stopRun: StopRun
  readonly joinRun: JoinRun
  /** Somebody has to do it every ten seconds. */
  readonly tendRuns: TendRuns
}

/** The core, wired once. */
export function makeUseCases(ports: Ports, settings: CoreSettings): UseCases {
  const noteLimitHit = makeNoteLimitHit(ports)
  const spend = makeSpend(ports, noteLimitHit)
  const expireToken = makeExpireToken(ports)
  const changeExternal = makeChangeExternal(ports)
  const tokenUsage = makeTokenUsage(ports)
  const needs = { ...ports, expireToken, noteLimitHit, spend, tokenUsage }
  const authenticate = makeAuthenticate({ ...needs, settings: settings.bearer })
  const requireMembership = makeRequireMembership({ ...ports, settings })
  const byMembership = makeMembershipAccess(ports.memberships)
  const checks = makeAppChecks({
    ...ports,
    authenticate,
    requireMembership,
    access: ports.policy === null ? byMembership : makeAclAccess(ports.policy, byMembership),
    mounters: [mountAccount, makeMountEndUser(ports)],
  })
  const setUpGuard = makeSetUpGuard({ ...ports, spend, settings })
  const underway: Underway = new Map()
  const carryRun = makeCarryRun({ ...ports, underway })
  return {
    authenticate,
    admitToApp: pipeline(
      checks.bearerCheck,
      checks.scopeCheck,
      checks.appResolver,
      checks.membershipCheck,
      checks.accessCheck,
      checks.callerMount,
    ),
    consoleGuards: makeConsoleGuards({
      ...ports,
      spend,
      settings: { bearerEnabled: settings.bearer.enabled, decidePerHour: settings.decidePerHour },
    }),
    spend,
    tokenUsage,
    owner: () => ports.accounts.owner(),
    findAccount: (email) => ports.accounts.findByEmail(normaliseEmail(email)),
    setUpGuard,
    setUp: makeSetUp({ ...ports, setUpGuard }),
    createAccount: makeCreateAccount(ports),
    changeAccount: makeChangeAccount(ports),
    consoleSessions: makeConsoleSessions({ ...ports, spend, settings }),
    switchWorkspace: makeSwitchWorkspace({ ...ports, forgetAccount: makeForgetAccount(ports) }),
    listWorkspaces: (accountId) => ports.memberships.list(accountId),
    startDeviceFlow: makeStartDeviceFlow({ ...ports, settings }),
    lookUpUserCode: makeLookUpUserCode(ports),
    previewApproval: makePreviewApproval({ ...ports, settings }),
    approveDevice: makeApproveDevice({ ...ports, settings }),
    denyDevice: makeDenyDevice(ports),
    pollToken: makePollToken(ports),
    tokenExpiry: (nowMs) => expiryOf(nowMs, settings.tokenTtlDays),
    approvalGuards: makeApprovalGuards({
      ...ports,
      spend,
      settings: { ...settings, bearerEnabled: settings.bearer.enabled },
    }),
    newBrowserName: () => randomText(ports.randomBytes, 32),
    beginSso: makeBeginSso({ ...ports, settings }),
    finishSso: makeFinishSso({ ...ports, settings }),
    completeSso: makeCompleteSso({ ...ports, settings }),
    approveExternal: makeApproveExternal({ ...ports, settings }),
    identityBridge: ports.bridge,
    describeFeatures: makeDescribeFeatures({ ...ports, settings }),
    requireSubject: makeRequireSubject(ports),
    listPermittedApps: makeListPermittedApps(ports),
    appAccess: makeManageAppAccess(ports),
    changeExternal,
    hearLogout: makeHearLogout({ ...ports, changeExternal }),
    describeAccount,
    listSessions: makeListSessions(ports),
    revokeSession: makeRevokeSession(ports),
    introspectToken: makeIntrospectToken(ports),
    revokeToken: makeRevokeToken(ports),
    readAudit: (query) => ports.readAudit(query),
    pruneEndedTokens: makePruneEndedTokens({ ...ports, settings }),
    listApps: makeListApps({ ...ports, requireMembership }),
    listWorkspaceApps: (workspaceId, page) => ports.apps.search({ workspaceId, ...page }),
    describeApp: makeDescribeApp({ ...ports, requireMembership }),
    importApp: makeImportApp(ports),
    exportApp: makeExportApp(ports),
    checkApp: makeCheckApp(ports),
    bindings: makeManageBindings(ports),
    runApp: makeRunApp({ ...ports, carryRun, settings }),
    humanForms: makeHumanForms({ ...ports, carryRun }),
    stopRun: makeStopRun(ports),
    joinRun: makeJoinRun(ports),
    tendRuns: makeTendRuns({ ...ports, underway }),
  }
}
