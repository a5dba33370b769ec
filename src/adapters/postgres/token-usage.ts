import type { EntityManager } from '@mikro-orm/sql'
import type { RecordTokenUses } from '#application/ports/token-usage.ts'
import { instant, rowsOf, storableText } from './sql.ts'
import { translateError } from './translate-errors.ts'

const BATCH = 500

/** Last uses in `oauth_access_tokens`. */
export function createPostgresTokenUsage(em: EntityManager): RecordTokenUses {
  return async (uses, minGapMs) => {
    try {
      for (let from = 0; from < uses.length; from += BATCH) {
        const rows = uses.slice(from, from + BATCH).map(({ tokenHash, atMs, ip, userAgent }) => ({
          hash: tokenHash,
          at: instant(atMs),
          ip,
          agent: userAgent === null ? null : storableText(userAgent),
        }))
        await rowsOf(em, RECORD, [JSON.stringify(rows), Math.max(minGapMs, 1)])
      }
    } catch (error) {
      throw translateError(error)
    }
  }
}

// Skipping locked rows, replicas that write the same ones neither wait for nor deadlock each other, and a revoke
// under way is not held up. The digest decides, so a late use never marks the token that a rotation put in its place.
const RECORD = `with used as (
    select * from jsonb_to_recordset(?::jsonb) as used (hash text, at timestamptz, ip text, agent text)
  ), target as (
    select held.id, used.at, used.ip, used.agent
    from oauth_access_tokens held join used on used.hash = held.token_hash
    where held.revoked_at is null
      and (held.last_used_at is null or used.at - held.last_used_at >= ? * interval '1 millisecond')
    for update of held skip locked
  )
  update oauth_access_tokens held
  set last_used_at = target.at, last_used_ip = target.ip, user_agent = target.agent
  from target where held.id = target.id`
