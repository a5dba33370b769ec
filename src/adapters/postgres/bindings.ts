import type { EntityManager } from '@mikro-orm/sql'
import type { BindingStore, StoredBinding } from '#application/ports/bindings.ts'
import type { JsonObject } from '#domain/app.ts'
import type { BindingSubject } from '#domain/binding.ts'
import { isUuid } from '#domain/uuid.ts'
import { epochMs, instant, rowOf, rowsOf, storableJson, storableText } from './sql.ts'
import { translateErrors } from './translate-errors.ts'

type FoundBinding = BindingSubject & Omit<StoredBinding, 'subject'>

/** Bindings in `app_bindings`. */
export function createPostgresBindingStore(em: EntityManager): BindingStore {
  return translateErrors<BindingStore>({
    async list(workspaceId) {
      if (!isUuid(workspaceId)) return []
      const found = await rowsOf<FoundBinding>(
        em,
        `select tenant_id as "workspaceId", kind, provider, name, target, sealed_key as "sealedKey",
            ${epochMs('updated_at', 'updatedAtMs')}
          from app_bindings where tenant_id = ?
          order by kind collate "C", provider collate "C", name collate "C"`,
        [workspaceId],
      )
      return found.map(({ kind, provider, name, ...rest }) => ({ ...rest, subject: { kind, provider, name } }))
    },

    async put({ workspaceId, subject, target, sealedKey, updatedAtMs }) {
      await rowsOf(
        em,
        `insert into app_bindings (tenant_id, kind, provider, name, target, sealed_key, updated_at)
          values (?, ?, ?, ?, ?::jsonb, ?, ?)
          on conflict (tenant_id, kind, provider, name) do update
            set target = excluded.target, sealed_key = excluded.sealed_key, updated_at = excluded.updated_at
          returning tenant_id`,
        [workspaceId, ...columns(subject), JSON.stringify(storable(target)), sealedKey, instant(updatedAtMs)],
      )
    },

    async remove(workspaceId, subject) {
      if (!isUuid(workspaceId)) return false
      const removed = await rowOf(
        em,
        'delete from app_bindings where tenant_id = ? and kind = ? and provider = ? and name = ? returning tenant_id',
        [workspaceId, ...columns(subject)],
      )
      return removed !== null
    },
  })
}

function columns({ kind, provider, name }: BindingSubject): readonly [string, string, string] {
  return [kind, storableText(provider), storableText(name)]
}

function storable(target: StoredBinding['target']): JsonObject {
  return storableJson({ ...target })
}
