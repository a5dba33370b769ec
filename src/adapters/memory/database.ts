import { AsyncLocalStorage } from 'node:async_hooks'
import type { NewAccount } from '#application/ports/account-directory.ts'
import type { NewApp } from '#application/ports/app-catalog.ts'
import type { StoredBinding } from '#application/ports/bindings.ts'
import type { Conversation, MessageRecord } from '#application/ports/conversation-store.ts'
import type { EndUser } from '#application/ports/end-users.ts'
import type { NodeTrace } from '#application/ports/node-traces.ts'
import type { PendingImport } from '#application/ports/pending-imports.ts'
import type { RefreshToken } from '#application/ports/refresh-token-store.ts'
import type { RunPause } from '#application/ports/run-pauses.ts'
import type { RunRecord, RunResult } from '#application/ports/run-store.ts'
import type { NewTag } from '#application/ports/tag-store.ts'
import type { App } from '#domain/app.ts'
import type { AccessGrant } from '#domain/app-access.ts'
import type { AuditEvent } from '#domain/audit-event.ts'
import type { StoredToken } from '#domain/oauth-access-token.ts'
import type { UploadedFile } from '#domain/uploaded-file.ts'
import type { Membership, WorkspaceStatus } from '#domain/workspace.ts'

export type AccountRow = Omit<NewAccount, 'passwordHash'> & { readonly passwordHash: string | null }
export type WorkspaceRow = {
  readonly id: string
  readonly name: string
  readonly status: WorkspaceStatus
  readonly createdAtMs: number
}
export type MembershipRow = Pick<Membership, 'role' | 'current'> & {
  readonly accountId: string
  readonly workspaceId: string
}
export type TokenRow = Omit<StoredToken, 'tokenHash'> & {
  readonly tokenHash: string | null
  readonly userAgent: string | null
  readonly revokedAtMs: number | null
}
export type AppRow = Omit<NewApp, 'definition' | 'source'> &
  Pick<App, 'status' | 'apiEnabled' | 'accessMode' | 'tags' | 'updatedAtMs'>
export type DefinitionRow = NewApp['definition'] & {
  readonly appId: string
  readonly source: string
  readonly createdAtMs: number
}
export type RunRow = RunRecord & { readonly result: RunResult | null }
export type RefreshTokenRow = RefreshToken & { readonly usedAtMs: number | null }
export type AppAccessRow = AccessGrant & { readonly appId: string }
export type ExternalRow = {
  readonly email: string
  readonly issuer: string
  readonly sub: string | null
  readonly groups: readonly string[]
  readonly signedOnAtMs: number | null
  readonly blockedAtMs: number | null
}
export type AuditRow = AuditEvent & { readonly atMs: number }

/** Rows by key; a change inside a transaction is undone when that fails. */
export type Table<Row> = {
  get(key: string): Row | undefined
  rows(): readonly Row[]
  set(key: string, row: Row): void
  delete(key: string): void
}

type Undo = () => void

/** What one process keeps instead of a database. */
export type MemoryDatabase = ReturnType<typeof createMemoryDatabase>

/**
 * Tables and a journal. Like the embedded database it has one connection: while a transaction runs, everything
 * outside it waits, so nobody reads or overwrites what may yet be undone.
 */
export function createMemoryDatabase() {
  const journal = new AsyncLocalStorage<Undo[]>()
  let busy: Promise<void> | null = null

  const turn = async () => {
    while (busy !== null) await busy
  }

  function table<Row>(): Table<Row> {
    const rows = new Map<string, Row>()
    const put = (key: string, row: Row | undefined) => {
      if (row === undefined) rows.delete(key)
      else rows.set(key, row)
    }
    const change = (key: string, row: Row | undefined) => {
      const before = rows.get(key)
      journal.getStore()?.push(() => put(key, before))
      put(key, row)
    }
    return {
      get: (key) => rows.get(key),
      rows: () => [...rows.values()],
      set: change,
      delete: (key) => change(key, undefined),
    }
  }

  return {
    accounts: table<AccountRow>(),
    workspaces: table<WorkspaceRow>(),
    memberships: table<MembershipRow>(),
    setups: table<{ readonly accountId: string }>(),
    refreshTokens: table<RefreshTokenRow>(),
    endedFamilies: table<true>(),
    tokens: table<TokenRow>(),
    apps: table<AppRow>(),
    definitions: table<DefinitionRow>(),
    bindings: table<StoredBinding>(),
    pendingImports: table<PendingImport>(),
    tags: table<NewTag>(),
    appAccess: table<AppAccessRow>(),
    externals: table<ExternalRow>(),
    endUsers: table<EndUser>(),
    conversations: table<Conversation>(),
    messages: table<MessageRecord>(),
    runs: table<RunRow>(),
    runPauses: table<RunPause>(),
    nodeTraces: table<NodeTrace>(),
    uploadedFiles: table<UploadedFile>(),
    audit: table<AuditRow>(),

    /** Runs one synchronous, hence atomic, step: in the caller's transaction, else when none is under way. */
    async run<R>(step: () => R): Promise<R> {
      if (journal.getStore() === undefined) await turn()
      return step()
    },

    /** Keeps all of `work`, or nothing when it throws; one inside another is a part of it. */
    async transaction<R>(work: () => Promise<R>): Promise<R> {
      const outer = journal.getStore()
      const undo: Undo[] = []
      if (outer !== undefined) return attempt(undo, work, () => outer.push(...undo))
      await turn()
      const { promise, resolve } = Promise.withResolvers<void>()
      busy = promise
      try {
        return await attempt(undo, work, () => {})
      } finally {
        busy = null
        resolve()
      }
    },
  }

  async function attempt<R>(undo: Undo[], work: () => Promise<R>, keep: () => void): Promise<R> {
    try {
      const result = await journal.run(undo, work)
      keep()
      return result
    } catch (error) {
      for (const step of undo.toReversed()) step()
      throw error
    }
  }
}
