import type { EntityManager } from '@mikro-orm/sql'
import type { EndUsers } from '#application/ports/end-users.ts'
import { instant, rowOf, storableText } from './sql.ts'
import { translateErrors } from './translate-errors.ts'

const TYPE = 'openapi'

/** End users in `end_users`. */
export function createPostgresEndUsers(em: EntityManager): EndUsers {
  return translateErrors<EndUsers>({
    async getOrCreate({ id, workspaceId, appId, issuer, email }, atMs) {
      const person = [storableText(issuer), storableText(email)] as const
      // Looked for first: whoever comes back costs no write.
      const find = () =>
        rowOf<{ id: string }>(
          em,
          'select id from end_users where tenant_id = ? and app_id = ? and type = ? and issuer = ? and email = ?',
          [workspaceId, appId, TYPE, ...person],
        )
      const known = await find()
      if (known !== null) return known.id
      const made = await rowOf<{ id: string }>(
        em,
        `insert into end_users (id, tenant_id, app_id, type, issuer, email, session_id, created_at)
          values (?, ?, ?, ?, ?, ?, ?, ?)
          on conflict on constraint uq_end_users_subject do nothing returning id`,
        [id, workspaceId, appId, TYPE, ...person, person[1], instant(atMs)],
      )
      const row = made ?? (await find())
      if (row === null) throw new Error('an end user vanished between two statements')
      return row.id
    },
  })
}
