import type { EntityManager } from '@mikro-orm/sql'
import type { Tag, TagStore } from '#application/ports/tag-store.ts'
import { isUuid } from '#domain/uuid.ts'
import { likePattern } from './like.ts'
import { instant, rowOf, rowsOf, storableText } from './sql.ts'
import { translateErrors } from './translate-errors.ts'

const TAG = `select tags.id, tags.name,
    (select count(*)::int from tag_bindings b where b.tag_id = tags.id) as bindings
  from tags`

/** Tags in `tags`, what bears them in `tag_bindings`. */
export function createPostgresTagStore(em: EntityManager): TagStore {
  return translateErrors<TagStore>({
    async list(workspaceId, keyword = '') {
      if (!isUuid(workspaceId)) return []
      return rowsOf<Tag>(
        em,
        `${TAG} where tenant_id = ? and type = 'app' and name ilike ? escape '!' order by name collate "C"`,
        [workspaceId, likePattern(keyword)],
      )
    },

    async put({ id, workspaceId, name, createdBy, createdAtMs }) {
      // Writing the name again locks and returns the row that is there; of two at once both hear of one tag.
      const kept = await rowOf<{ id: string }>(
        em,
        `insert into tags (id, tenant_id, name, created_by, created_at) values (?, ?, ?, ?, ?)
          on conflict on constraint uq_tags_name do update set name = excluded.name returning id`,
        [id, workspaceId, storableText(name), createdBy, instant(createdAtMs)],
      )
      const tag = await rowOf<Tag>(em, `${TAG} where tags.id = ?`, [kept?.id ?? id])
      return tag ?? { id, name, bindings: 0 }
    },

    async bind(workspaceId, appId, tagIds, { accountId, atMs }) {
      if (![workspaceId, appId, ...tagIds].every(isUuid)) return false
      const wanted = [...new Set(tagIds)]
      if (wanted.length === 0) return true
      const marks = wanted.map(() => '?').join(', ')
      const bound = await rowOf<{ found: number }>(
        em,
        `with own as (
            select tags.id from tags join apps a on a.id = ? and a.tenant_id = tags.tenant_id
            where tags.tenant_id = ? and tags.type = 'app' and tags.id in (${marks})
          ), added as (
            insert into tag_bindings (tag_id, target_id, created_by, created_at)
            select own.id, ?::uuid, ?::uuid, ?::timestamptz from own where (select count(*) from own) = ?
            on conflict do nothing returning tag_id
          )
          select count(*)::int as found from own`,
        [appId, workspaceId, ...wanted, appId, accountId, instant(atMs), wanted.length],
      )
      return bound?.found === wanted.length
    },
  })
}
