import type { EntityManager } from '@mikro-orm/sql'
import type { RunPause, RunPauses } from '#application/ports/run-pauses.ts'
import type { Json } from '#domain/app.ts'
import { isUuid } from '#domain/uuid.ts'
import { epochMs, instant, rowOf, rowsOf, storableJson } from './sql.ts'
import { translateErrors } from './translate-errors.ts'

const COLUMNS = `ids, request, state, forms, ${epochMs('paused_at', 'pausedAtMs')}`

/** Paused runs in `run_pauses`; each change goes with that of the run's status in one statement. */
export function createPostgresRunPauses(em: EntityManager): RunPauses {
  return translateErrors<RunPauses>({
    async put({ ids, request, state, forms, pausedAtMs }) {
      if (!isUuid(ids.runId)) return false
      const columns = [ids, request, state, forms].map((part) => storable(part))
      const firstMs = Math.min(...forms.map(({ form }) => form.expiresAtMs))
      const kept = await rowOf(
        em,
        `with held as (update workflow_runs set status = 'paused' where id = ? and status = 'running' returning id)
          insert into run_pauses (run_id, ids, request, state, forms, paused_at, expires_at)
            select id, ?::jsonb, ?::jsonb, ?::jsonb, ?::jsonb, ?::timestamptz, ?::timestamptz from held
            on conflict (run_id) do update set ids = excluded.ids, request = excluded.request, state = excluded.state,
              forms = excluded.forms, paused_at = excluded.paused_at, expires_at = excluded.expires_at
            returning run_id`,
        [ids.runId, ...columns, instant(pausedAtMs), forms.length === 0 ? null : instant(firstMs)],
      )
      return kept !== null
    },

    async find(tokenHash) {
      return rowOf<RunPause>(
        em,
        `select ${COLUMNS} from run_pauses where forms @> ?::jsonb
          and exists (select from workflow_runs where id = run_id and status = 'paused')`,
        [formOf(tokenHash)],
      )
    },

    async expired(nowMs, limit) {
      return rowsOf<RunPause>(
        em,
        `select ${COLUMNS} from run_pauses where expires_at <= ?
          and exists (select from workflow_runs where id = run_id and status = 'paused')
          order by expires_at limit ?`,
        [instant(nowMs), limit],
      )
    },

    async take(tokenHash) {
      return rowOf<RunPause>(
        em,
        `with gone as (delete from run_pauses where forms @> ?::jsonb returning *),
          going as (update workflow_runs set status = 'running', heard_at = now() from gone
            where workflow_runs.id = gone.run_id and workflow_runs.status = 'paused' returning workflow_runs.id)
          select ${COLUMNS} from gone where run_id in (select id from going)`,
        [formOf(tokenHash)],
      )
    },
  })
}

function formOf(tokenHash: string): string {
  return JSON.stringify([{ tokenHash }])
}

function storable(part: unknown): string {
  // Plain JSON by the port's promise; the types of a list or a record of ours say less than that.
  const { value } = storableJson({ value: JSON.parse(JSON.stringify(part)) as Json })
  return JSON.stringify(value)
}
