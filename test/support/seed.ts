import type { MemoryDatabase } from '#adapters/memory/database.ts'
import type { openMemoryStores } from '#adapters/memory/stores.ts'
import type { NewWorkspace } from '#application/ports/account-directory.ts'
import type { RunRecord } from '#application/ports/run-store.ts'
import type { Role, WorkspaceStatus } from '#domain/workspace.ts'
import { anApp, aRunRecord, aWorkspace } from './builders.ts'

/** What contract suites need in place, and no port writes yet. */
export type Seed = {
  workspace(workspace: NewWorkspace, status?: WorkspaceStatus): Promise<void>
  member(accountId: string, workspaceId: string, role: Role): Promise<void>
  tag(workspaceId: string, appId: string, name: string): Promise<void>
  alterApp(appId: string, state: { readonly status: string; readonly apiEnabled: boolean }): Promise<void>
  /** Everything appended so far; `text` is the stored facts. */
  auditRows(): Promise<readonly { readonly event: string; readonly text: string }[]>
}

/** Every database-backed port, by the name the core knows it under. */
export type Stores = ReturnType<typeof openMemoryStores>

export type Opened = { readonly stores: Stores; readonly seed: Seed; close(): Promise<void> }

/** Opens stores that nobody set up yet. */
export type Open = () => Promise<Opened>

/** A run that has begun, in an app and a workspace of its own. */
export async function startedRun({ stores, seed }: Opened, overrides: Partial<RunRecord> = {}): Promise<RunRecord> {
  const workspace = aWorkspace()
  await seed.workspace(workspace)
  const app = anApp({ workspaceId: workspace.id })
  await stores.apps.add(app)
  const run = aRunRecord({ workspaceId: workspace.id, appId: app.id, ...overrides })
  await stores.runs.start(run)
  return run
}

/** The same over the tables of one process. */
export function memorySeed(database: MemoryDatabase): Seed {
  return {
    async workspace(workspace, status = 'normal') {
      database.workspaces.set(workspace.id, { ...workspace, status })
    },
    async member(accountId, workspaceId, role) {
      database.memberships.set(`${accountId} ${workspaceId}`, { accountId, workspaceId, role, current: false })
    },
    async tag(_workspaceId, appId, name) {
      const app = database.apps.get(appId)
      if (app !== undefined) database.apps.set(appId, { ...app, tags: [...app.tags, name] })
    },
    async alterApp(appId, state) {
      const app = database.apps.get(appId)
      if (app !== undefined) database.apps.set(appId, { ...app, ...state })
    },
    async auditRows() {
      return database.audit.rows().map(({ event, facts }) => ({ event, text: JSON.stringify(facts) }))
    },
  }
}
