import { createMemoryAccountDirectory, createMemoryMembershipDirectory } from './account-directory.ts'
import { createMemoryAccountLifecycle } from './account-lifecycle.ts'
import { createMemoryAppAccess } from './app-access.ts'
import { createMemoryAppCatalog } from './app-catalog.ts'
import { createMemoryAuditLog } from './audit-log.ts'
import { createMemoryBindingStore } from './bindings.ts'
import { createMemoryConversationStore } from './conversation-store.ts'
import { createMemoryDatabase } from './database.ts'
import { createMemoryEndUsers } from './end-users.ts'
import { createMemoryExternalDirectory } from './external-directory.ts'
import { createMemoryNodeTraces } from './node-traces.ts'
import { createMemoryPendingImports } from './pending-imports.ts'
import { createMemoryReadAudit } from './read-audit.ts'
import { createMemoryRefreshTokenStore } from './refresh-token-store.ts'
import { createMemoryRunPauses } from './run-pauses.ts'
import { createMemoryRunStore } from './run-store.ts'
import { createMemoryTagStore } from './tag-store.ts'
import { createMemoryTokenPruner } from './token-pruner.ts'
import { createMemoryTokenStore } from './token-store.ts'
import { createMemoryTokenUsage } from './token-usage.ts'
import { createMemoryUnitOfWork } from './unit-of-work.ts'
import { createMemoryUploadedFiles } from './uploaded-files.ts'
import { createMemoryWorkspaceMembers } from './workspace-members.ts'

/** The database-backed ports without a database, over one set of tables. */
export function openMemoryStores(database = createMemoryDatabase()) {
  return {
    tokens: createMemoryTokenStore(database),
    recordTokenUses: createMemoryTokenUsage(database),
    pruneTokens: createMemoryTokenPruner(database),
    accounts: createMemoryAccountDirectory(database),
    lifecycle: createMemoryAccountLifecycle(database),
    memberships: createMemoryMembershipDirectory(database),
    members: createMemoryWorkspaceMembers(database),
    apps: createMemoryAppCatalog(database),
    pendingImports: createMemoryPendingImports(database),
    tags: createMemoryTagStore(database),
    bindings: createMemoryBindingStore(database),
    appAccess: createMemoryAppAccess(database),
    externals: createMemoryExternalDirectory(database),
    endUsers: createMemoryEndUsers(database),
    conversations: createMemoryConversationStore(database),
    runs: createMemoryRunStore(database),
    runPauses: createMemoryRunPauses(database),
    nodeTraces: createMemoryNodeTraces(database),
    refreshTokens: createMemoryRefreshTokenStore(database),
    audit: createMemoryAuditLog(database),
    readAudit: createMemoryReadAudit(database),
    unitOfWork: createMemoryUnitOfWork(database),
    uploadedFiles: createMemoryUploadedFiles(database),
  }
}
