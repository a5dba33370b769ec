import type { EndUsers } from '#application/ports/end-users.ts'
import type { MemoryDatabase } from './database.ts'

/** End users of one process. */
export function createMemoryEndUsers(database: MemoryDatabase): EndUsers {
  const { endUsers } = database
  return {
    getOrCreate: (endUser) =>
      database.run(() => {
        const { workspaceId, appId, issuer, email } = endUser
        const key = `${workspaceId} ${appId} ${issuer} ${email}`
        const kept = endUsers.get(key) ?? endUser
        endUsers.set(key, kept)
        return kept.id
      }),
  }
}
