import type { AccountDirectory, MembershipDirectory } from '#application/ports/account-directory.ts'
import type { AccountLifecycle } from '#application/ports/account-lifecycle.ts'
import type { AppAccessStore } from '#application/ports/app-access.ts'
import type { AppCatalog } from '#application/ports/app-catalog.ts'
import type { AuditLog } from '#application/ports/audit-log.ts'
import type { BindingStore } from '#application/ports/bindings.ts'
import type { ConversationStore } from '#application/ports/conversation-store.ts'
import type { EndUsers } from '#application/ports/end-users.ts'
import type { ExternalDirectory } from '#application/ports/external-directory.ts'
import type { NodeTraces } from '#application/ports/node-traces.ts'
import type { PendingImports } from '#application/ports/pending-imports.ts'
import type { ReadAudit } from '#application/ports/read-audit.ts'
import type { RefreshTokenStore } from '#application/ports/refresh-token-store.ts'
import type { RunPauses } from '#application/ports/run-pauses.ts'
import type { RunStore } from '#application/ports/run-store.ts'
import type { TagStore } from '#application/ports/tag-store.ts'
import type { PruneTokens } from '#application/ports/token-pruner.ts'
import type { TokenStore } from '#application/ports/token-store.ts'
import type { RecordTokenUses } from '#application/ports/token-usage.ts'
import type { UnitOfWork } from '#application/ports/unit-of-work.ts'
import type { UploadedFiles } from '#application/ports/uploaded-files.ts'
import type { WorkspaceMembers } from '#application/ports/workspace-members.ts'
import { createPostgresAccountDirectory, createPostgresMembershipDirectory } from './account-directory.ts'
import { createPostgresAccountLifecycle } from './account-lifecycle.ts'
import { createPostgresAppAccess } from './app-access.ts'
import { createPostgresAppCatalog } from './app-catalog.ts'
import { createPostgresAuditLog } from './audit-log.ts'
import { createPostgresBindingStore } from './bindings.ts'
import { createPostgresConversationStore } from './conversation-store.ts'
import { createPostgresEndUsers } from './end-users.ts'
import { createPostgresExternalDirectory } from './external-directory.ts'
import { createPostgresNodeTraces } from './node-traces.ts'
import type { Orm } from './open-orm.ts'
import { createPostgresPendingImports } from './pending-imports.ts'
import { createPostgresReadAudit } from './read-audit.ts'
import { createPostgresRefreshTokenStore } from './refresh-token-store.ts'
import { createPostgresRunPauses } from './run-pauses.ts'
import { createPostgresRunStore } from './run-store.ts'
import { createPostgresTagStore } from './tag-store.ts'
import { createPostgresTokenPruner } from './token-pruner.ts'
import { createPostgresTokenStore } from './token-store.ts'
import { createPostgresTokenUsage } from './token-usage.ts'
import { createPostgresUnitOfWork } from './unit-of-work.ts'
import { createPostgresUploadedFiles } from './uploaded-files.ts'
import { createPostgresWorkspaceMembers } from './workspace-members.ts'

/** Everything kept in the database, by port. */
export type PostgresStores = {
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
  readonly appAccess: AppAccessStore
  readonly externals: ExternalDirectory
  readonly endUsers: EndUsers
  readonly conversations: ConversationStore
  readonly runs: RunStore
  readonly runPauses: RunPauses
  readonly nodeTraces: NodeTraces
  readonly refreshTokens: RefreshTokenStore
  readonly audit: AuditLog
  readonly readAudit: ReadAudit
  readonly unitOfWork: UnitOfWork
  readonly uploadedFiles: UploadedFiles
}

/** The stores of one open database; inside `unitOfWork` they join its transaction by themselves. */
export function openStores(orm: Orm): PostgresStores {
  const em = orm.em.fork({ useContext: true })
  return {
    tokens: createPostgresTokenStore(em),
    recordTokenUses: createPostgresTokenUsage(em),
    pruneTokens: createPostgresTokenPruner(orm),
    accounts: createPostgresAccountDirectory(em),
    lifecycle: createPostgresAccountLifecycle(em),
    memberships: createPostgresMembershipDirectory(em),
    members: createPostgresWorkspaceMembers(em),
    apps: createPostgresAppCatalog(em),
    pendingImports: createPostgresPendingImports(em),
    tags: createPostgresTagStore(em),
    bindings: createPostgresBindingStore(em),
    appAccess: createPostgresAppAccess(em),
    externals: createPostgresExternalDirectory(em),
    endUsers: createPostgresEndUsers(em),
    conversations: createPostgresConversationStore(em),
    runs: createPostgresRunStore(em),
    runPauses: createPostgresRunPauses(em),
    nodeTraces: createPostgresNodeTraces(em),
    refreshTokens: createPostgresRefreshTokenStore(em),
    audit: createPostgresAuditLog(em),
    readAudit: createPostgresReadAudit(em),
    unitOfWork: createPostgresUnitOfWork(em),
    uploadedFiles: createPostgresUploadedFiles(em),
  }
}
