import type { UploadRules } from '#domain/uploaded-file.ts'
import type { BearerSettings } from './auth/authenticate.ts'
import type { AccountDirectory, MembershipDirectory } from './ports/account-directory.ts'
import type { AccountLifecycle } from './ports/account-lifecycle.ts'
import type { AccessPolicy, AppAccessStore } from './ports/app-access.ts'
import type { AppCatalog } from './ports/app-catalog.ts'
import type { AppRunner } from './ports/app-runner.ts'
import type { AuditLog } from './ports/audit-log.ts'
import type { BindingStore } from './ports/bindings.ts'
import type { Challenges } from './ports/challenges.ts'
import type { Clock, Timer } from './ports/clock.ts'
import type { ConsoleTokens } from './ports/console-tokens.ts'
import type { ConversationStore } from './ports/conversation-store.ts'
import type { DeviceFlowStore } from './ports/device-flow-store.ts'
import type { DslFiles } from './ports/dsl-files.ts'
import type { EndUsers } from './ports/end-users.ts'
import type { ExternalDirectory } from './ports/external-directory.ts'
import type { FetchFile } from './ports/fetch-file.ts'
import type { FileLinks } from './ports/file-links.ts'
import type { FileStore } from './ports/file-store.ts'
import type { IdentityBridge } from './ports/identity-bridge.ts'
import type { LiveDefinition } from './ports/live-definition.ts'
import type { Log } from './ports/log.ts'
import type { KnownKeys, NodeTraces } from './ports/node-traces.ts'
import type { NonceGuard } from './ports/nonce-guard.ts'
import type { PasswordHasher } from './ports/password-hasher.ts'
import type { PendingImports } from './ports/pending-imports.ts'
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
import type { TagStore } from './ports/tag-store.ts'
import type { TokenCache } from './ports/token-cache.ts'
import type { PruneTokens } from './ports/token-pruner.ts'
import type { TokenStore } from './ports/token-store.ts'
import type { RecordTokenUses } from './ports/token-usage.ts'
import type { Tracer } from './ports/tracer.ts'
import type { UnitOfWork } from './ports/unit-of-work.ts'
import type { UploadedFiles } from './ports/uploaded-files.ts'
import type { WorkspaceMembers } from './ports/workspace-members.ts'
import type { RunSettings } from './use-cases/run-app.ts'

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
  readonly members: WorkspaceMembers
  readonly apps: AppCatalog
  readonly pendingImports: PendingImports
  readonly tags: TagStore
  readonly bindings: BindingStore
  readonly secretBox: SecretBox
  readonly conversations: ConversationStore
  readonly runs: RunStore
  readonly runPauses: RunPauses
  readonly nodeTraces: NodeTraces
  /** Keys of the operator's and the workspace's services, as runs last read them; absent where there are none. */
  readonly knownKeys?: KnownKeys
  readonly refreshTokens: RefreshTokenStore
  readonly audit: AuditLog
  readonly readAudit: ReadAudit
  readonly unitOfWork: UnitOfWork
  /** Absent when nobody is told where time goes. */
  readonly tracer?: Tracer
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
  readonly liveDefinition: LiveDefinition
  readonly runLog: RunLog
  readonly runControl: RunControl
  readonly runSlots: RunSlots
  readonly dsl: DslFiles
  readonly fetchFile: FetchFile
  readonly endUsers: EndUsers
  readonly fileStore: FileStore
  readonly uploadedFiles: UploadedFiles
  readonly fileLinks: FileLinks
  readonly challenges: Challenges
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
  /** 0 writes none. */
  readonly traceRetentionDays: number
  readonly uploads: UploadRules
  readonly fileRetentionDays: number
  /** Where others can fetch files; null when nobody outside can. */
  readonly filesOrigin: string | null
  /** How long such a link lasts. */
  readonly fileLinkSeconds: number
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
