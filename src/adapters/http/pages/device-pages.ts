import type { LookedUp } from '#application/use-cases/look-up-user-code.ts'
import { DomainError } from '#domain/errors.ts'
import { limits } from '#domain/rate-limit.ts'
import { type Answer, go, view } from './answer.ts'
import { type Visit, type Visitor, whoVisits, withCode } from './visit.ts'
import { ageInWords, instantInWords, permissionsInWords } from './words.ts'

/** Code entry; with a code in the address, what it asks for. Decides nothing (RFC 8628 §3.3.1). */
export async function devicePage(visit: Visit): Promise<Answer> {
  const { cases, query, ip, userCode } = visit
  if ((await cases.owner()) === null) return go(withCode('/install', userCode))
  const who = await whoVisits(visit)
  const outcome = takeOutcome(visit)
  const typed = query.user_code ?? ''
  if (typed === '') return outcome === null ? codeEntry(who, '', '', 200) : view('decided', who, OUTCOMES[outcome])
  await cases.spend(limits.lookup(ip), { ip, accountId: null })
  const found = await cases.lookUpUserCode(typed)
  if (found.kind === 'unknown') throw new DomainError('expired_or_unknown', {})
  if (found.kind === 'decided') throw new DomainError('already_resolved', {})
  // What the device says of itself is for a signed-in person, not for whoever guesses codes.
  if (who === null) return view('chooser', null, { title: 'Sign in to go on', userCode: found.userCode })
  return consent(visit, who, found)
}

/** Takes a typed code to its own address; looking it up happens there, once. */
export async function enterCode(visit: Visit): Promise<Answer> {
  if (visit.userCode !== null) return go(withCode('/device', visit.userCode))
  const fault = 'That is not a code. It has eight letters and digits, such as WDJB-MJHT.'
  return codeEntry(await whoVisits(visit), fault, visit.form.user_code ?? '', 422)
}

function codeEntry(who: Visitor | null, fault: string, typed: string, status: number): Answer {
  return view('device', who, { title: 'Connect a device', fault, typed }, status)
}

type Pending = Extract<LookedUp, { kind: 'pending' }>

async function consent({ cases, http, ip }: Visit, who: Visitor, { flow, userCode }: Pending): Promise<Answer> {
  const preview = await cases.previewApproval(who.account, flow)
  return view('authorize', who, {
    title: 'Let this device in?',
    userCode,
    clientId: flow.clientId,
    deviceLabel: flow.deviceLabel,
    age: ageInWords(flow.createdAtMs, http.now()),
    requestIp: flow.origin.ip,
    requestAgent: flow.origin.userAgent ?? '',
    browserIp: ip,
    // Somebody who was talked into a code of another person's sees it here, or never (RFC 8628 §5.4).
    elsewhere: flow.origin.ip !== ip,
    email: who.account.email,
    workspaceName: preview.workspaceName ?? '',
    replacesSession: preview.replacesSession,
    permissions: permissionsInWords(preview.scopes).map((sentence) => ({ sentence })),
    until: instantInWords(preview.expiresAtMs),
  })
}

/** Authorize or Deny. The guards are those of the JSON routes, in their order. */
export async function decide({ ctx, http, cases, claims, form, ip }: Visit): Promise<Answer> {
  const { account } = await cases.consoleGuards.mayDecide(claims)
  const { user_code: userCode = '', decision } = form
  if (decision === 'approve') await cases.approveDevice({ account, userCode, ip })
  else if (decision === 'deny') await cases.denyDevice({ accountId: account.id, userCode, ip })
  else throw new DomainError('invalid_input', { issues: [{ type: 'picklist', loc: ['decision'], msg: 'is unknown' }] })
  const secure = http.settings.webOrigin().startsWith('https:') ? '; Secure' : ''
  ctx.append('Set-Cookie', `${OUTCOME}=${decision}; Path=/device; Max-Age=60; HttpOnly; SameSite=Lax${secure}`)
  return go('/device')
}

/** The next page's only memory of the decision. Not in the address: a link must not be able to claim success. */
const OUTCOME = 'device_outcome'

const OUTCOMES = {
  approve: {
    title: 'Your device is signed in',
    sentence: 'Go back to your terminal: it goes on by itself in a few seconds. You can close this page.',
  },
  deny: {
    title: 'You turned the device away',
    sentence: 'It got no access. You can close this page.',
  },
} as const

function takeOutcome({ ctx }: Visit): keyof typeof OUTCOMES | null {
  const outcome = ctx.cookies.get(OUTCOME)
  if (outcome === undefined) return null
  ctx.append('Set-Cookie', `${OUTCOME}=; Path=/device; Max-Age=0; HttpOnly; SameSite=Lax`)
  return outcome === 'approve' || outcome === 'deny' ? outcome : null
}
