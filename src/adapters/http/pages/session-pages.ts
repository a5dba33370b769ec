import * as v from 'valibot'
import { DomainError } from '#domain/errors.ts'
import type { OAuthAccessToken } from '#domain/oauth-access-token.ts'
import { MAX_PAGE_LIMIT } from '#domain/page.ts'
import { isUuid } from '#domain/uuid.ts'
import type { Account } from '#domain/workspace.ts'
import { page } from '../schemas.ts'
import { type Answer, go, view } from './answer.ts'
import { SESSIONS, type Visit, whoVisits } from './visit.ts'

const ROWS = 20

const subjectOf = ({ id, email }: Account) => ({ type: 'account', accountId: id, email }) as const

/** The person's own live terminals. */
export async function sessionsPage(visit: Visit): Promise<Answer> {
  const { cases, words, query, ip } = visit
  const who = await whoVisits(visit)
  if (who === null) return go(`/signin?return_to=${SESSIONS}`)
  const asked = v.safeParse(page, query.page)
  const at = asked.success ? asked.output : 1
  const found = await cases.listSessions(subjectOf(who.account), { page: at, limit: ROWS })
  return view('sessions', who, {
    title: words.say('sessions.title'),
    browserIp: ip,
    rows: found.data.map((token) => rowOf(token, visit)),
    several: found.data.length > 1 || at > 1 || found.hasMore,
    newerPage: at > 1 ? String(at - 1) : '',
    olderPage: found.hasMore ? String(at + 1) : '',
  })
}

function rowOf(token: OAuthAccessToken, { http, words, ip }: Visit) {
  const { id, deviceLabel, clientId, createdAtMs, lastUsedAtMs, lastUsedIp, expiresAtMs } = token
  const nowMs = http.now()
  return {
    id,
    deviceLabel,
    clientId,
    created: words.ago(createdAtMs, nowMs),
    age: lastUsedAtMs === null ? words.say('sessions.never') : words.ago(lastUsedAtMs, nowMs),
    ip: lastUsedAtMs === null ? '' : (lastUsedIp ?? ''),
    sameAddress: lastUsedIp === ip,
    until: words.instant(expiresAtMs),
  }
}

/** Signs one of them out. @throws DomainError `unauthorized` | `csrf_mismatch` | `session_not_found` */
export async function revokeTerminal({ cases, claims, form }: Visit): Promise<Answer> {
  const { account } = await cases.consoleGuards.mayChange(claims)
  const id = form.session_id ?? ''
  if (!isUuid(id)) throw new DomainError('session_not_found', {})
  await cases.revokeSession(subjectOf(account), id)
  return go(SESSIONS)
}

/** Terminals that one press signs out at the most; nobody has as many. */
const MAX_ENDED = 10_000

/**
 * Signs all but one of them out, or all.
 * @throws DomainError `unauthorized` | `csrf_mismatch` | `session_not_found` when the one to keep is not theirs
 */
export async function revokeOthers({ cases, claims, form }: Visit): Promise<Answer> {
  const { account } = await cases.consoleGuards.mayChange(claims)
  const subject = subjectOf(account)
  const ids: string[] = []
  for (let at = 1; ids.length < MAX_ENDED; at += 1) {
    const { data, hasMore } = await cases.listSessions(subject, { page: at, limit: MAX_PAGE_LIMIT })
    ids.push(...data.map(({ id }) => id))
    if (!hasMore) break
  }
  // A wrong name for what stays must not become "sign out everything".
  const { keep = '' } = form
  if (keep !== 'none' && !ids.includes(keep)) throw new DomainError('session_not_found', {})
  const others = ids.filter((id) => id !== keep)
  for (const id of others) await cases.revokeSession(subject, id)
  return go(SESSIONS)
}
