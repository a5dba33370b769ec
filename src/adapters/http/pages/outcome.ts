import type { Visit } from './visit.ts'

/** What was decided, for the one page after it. */
export type Outcome = { readonly decision: 'approve' | 'deny'; readonly deviceLabel: string }

/** The next page's only memory of the decision. Not in the address: a link must not be able to claim success. */
const COOKIE = 'device_outcome'
const ATTRIBUTES = 'Path=/device; HttpOnly; SameSite=Lax'

/** Keeps the outcome for a minute. */
export function keepOutcome({ ctx, http }: Visit, { decision, deviceLabel }: Outcome): void {
  const secure = http.settings.webOrigin().startsWith('https:') ? '; Secure' : ''
  const label = Buffer.from(deviceLabel).toString('base64url')
  ctx.append('Set-Cookie', `${COOKIE}=${decision}.${label}; Max-Age=60; ${ATTRIBUTES}${secure}`)
}

/** The outcome, told once; null when there is none. */
export function takeOutcome({ ctx }: Visit): Outcome | null {
  const kept = ctx.cookies.get(COOKIE)
  if (kept === undefined) return null
  ctx.append('Set-Cookie', `${COOKIE}=; Max-Age=0; ${ATTRIBUTES}`)
  const [, decision, label = ''] = /^(approve|deny)\.([\w-]{0,2048})$/.exec(kept) ?? []
  if (decision !== 'approve' && decision !== 'deny') return null
  return { decision, deviceLabel: Buffer.from(label, 'base64url').toString() }
}
