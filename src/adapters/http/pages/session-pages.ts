import * as v from 'valibot'
import { DomainError } from '#domain/errors.ts'
import type { OAuthAccessToken } from '#domain/oauth-access-token.ts'
import { isUuid } from '#domain/uuid.ts'
import type { Account } from '#domain/workspace.ts'
import { page } from '../schemas.ts'
import { type Answer, go, view } from './answer.ts'
import { type Visit, whoVisits } from './visit.ts'
import { ageInWords, instantInWords } from './words.ts'

const ROWS = 20

const subjectOf = ({ id, email }: Account) => ({ type: 'account', accountId: id, email }) as const

/** The person's own live terminals. */
export async function sessionsPage(visit: Visit): Promise<Answer> {
  const who = await whoVisits(visit)
  if (who === null) return go('/signin')
  const asked = v.safeParse(page, visit.query.page)
  const at = asked.success ? asked.output : 1
  const found = await visit.cases.listSessions(subjectOf(who.account), { page: at, limit: ROWS })
  return view('sessions', who, {
    title: 'Your terminals',
    rows: found.data.map((token) => rowOf(token, visit.http.now())),
    newerPage: at > 1 ? String(at - 1) : '',
    olderPage: found.hasMore ? String(at + 1) : '',
  })
}

function rowOf(token: OAuthAccessToken, nowMs: number) {
  const { id, deviceLabel, clientId, createdAtMs, lastUsedAtMs, lastUsedIp, expiresAtMs } = token
  const from = lastUsedIp === null ? '' : `, from ${lastUsedIp}`
  return {
    id,
    deviceLabel,
    clientId,
    created: ageInWords(createdAtMs, nowMs),
    lastUsed: lastUsedAtMs === null ? 'not yet' : `${ageInWords(lastUsedAtMs, nowMs)}${from}`,
    until: instantInWords(expiresAtMs),
  }
}

/** Signs one of them out. @throws DomainError `unauthorized` | `csrf_mismatch` | `session_not_found` */
export async function revokeTerminal({ cases, claims, form }: Visit): Promise<Answer> {
  const { account } = await cases.consoleGuards.mayChange(claims)
  const id = form.session_id ?? ''
  if (!isUuid(id)) throw new DomainError('session_not_found', {})
  await cases.revokeSession(subjectOf(account), id)
  return go('/device/sessions')
}
