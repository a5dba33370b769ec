import { accountDirectoryContract } from '../contract/account-directory.ts'
import { accountLifecycleContract } from '../contract/account-lifecycle.ts'
import { appAccessContract } from '../contract/app-access.ts'
import { appCatalogContract } from '../contract/app-catalog.ts'
import { auditLogContract } from '../contract/audit-log.ts'
import { bindingStoreContract } from '../contract/bindings.ts'
import { conversationStoreContract } from '../contract/conversation-store.ts'
import { endUsersContract } from '../contract/end-users.ts'
import { externalDirectoryContract } from '../contract/external-directory.ts'
import { nodeTracesContract } from '../contract/node-traces.ts'
import { pendingImportsContract } from '../contract/pending-imports.ts'
import { refreshTokenStoreContract } from '../contract/refresh-token-store.ts'
import { runPausesContract } from '../contract/run-pauses.ts'
import { runStoreContract } from '../contract/run-store.ts'
import { tagStoreContract } from '../contract/tag-store.ts'
import { tokenPrunerContract } from '../contract/token-pruner.ts'
import { tokenStoreContract } from '../contract/token-store.ts'
import { tokenUsageContract } from '../contract/token-usage.ts'
import { unitOfWorkContract } from '../contract/unit-of-work.ts'
import { uploadedFilesContract } from '../contract/uploaded-files.ts'
import { workspaceMembersContract } from '../contract/workspace-members.ts'
import type { Open } from './seed.ts'

/** Every suite that a set of database-backed stores must pass. */
export function storeContracts(name: string, open: Open): void {
  accountDirectoryContract(name, open)
  accountLifecycleContract(name, open)
  appAccessContract(name, open)
  appCatalogContract(name, open)
  auditLogContract(name, open)
  bindingStoreContract(name, open)
  conversationStoreContract(name, open)
  endUsersContract(name, open)
  externalDirectoryContract(name, open)
  nodeTracesContract(name, open)
  pendingImportsContract(name, open)
  refreshTokenStoreContract(name, open)
  runPausesContract(name, open)
  runStoreContract(name, open)
  tagStoreContract(name, open)
  tokenStoreContract(name, open)
  tokenPrunerContract(name, open)
  tokenUsageContract(name, open)
  unitOfWorkContract(name, open)
  workspaceMembersContract(name, open)
  uploadedFilesContract(name, open)
}
