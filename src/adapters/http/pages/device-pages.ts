import type { LookedUp } from '#application/use-cases/look-up-user-code.ts'
import { DomainError } from '#domain/errors.ts'
import { limits } from '#domain/rate-limit.ts'
import { type Answer, go, view } from './answer.ts'
import { keepOutcome, takeOutcome } from './outcome.ts'
import { offersSso, ssoErrorPage, ssoPage } from './sso-pages.ts'
import { type Visit, type Visitor, whoVisits, withCode } from './visit.ts'
import { permissionsIn } from './words.ts'

/** Code entry; with a code in the address, what it asks for. Decides nothing (RFC 8628 §3.3.1). */
export async function devicePage(visit: Visit): Promise<Answer> {
  const { cases, query, ip, userCode, words } = visit
  if ((await cases.owner()) === null) return go(withCode('/install', userCode))
  // Who comes back from the company's sign-on decides about the code that was signed, not about one in an address.
  if (query.sso_verified === '1' && (await offersSso(cases))) return ssoPage(visit)
  const who = await whoVisits(visit)
  const failed = ssoErrorPage(visit, who)
  if (failed !== null) return failed
  const outcome = takeOutcome(visit)
  const typed = query.user_code ?? ''
  if (typed === '') return outcome === null ? codeEntry(visit, who, '', '', 200) : decidedView(visit, who, outcome)
  await cases.spend(limits.lookup(ip), { ip, accountId: null })
  const found = await cases.lookUpUserCode(typed)
  if (found.kind === 'unknown') throw new DomainError('expired_or_unknown', {})
  if (found.kind === 'decided') throw new DomainError('already_resolved', {})
  if (who !== null) return consent(visit, who, found)
  // What the device says of itself is for a signed-in person, not for whoever guesses codes.
  const sso = await offersSso(cases)
  return view('chooser', null, { title: words.say('chooser.title'), userCode: found.userCode, sso })
}

/** Takes a typed code to its own address; looking it up happens there, once. */
export async function enterCode(visit: Visit): Promise<Answer> {
  if (visit.userCode !== null) return go(withCode('/device', visit.userCode))
  const fault = visit.words.say('device.bad')
  return codeEntry(visit, await whoVisits(visit), fault, visit.form.user_code ?? '', 422)
}

function codeEntry({ words }: Visit, who: Visitor | null, fault: string, typed: string, status: number): Answer {
  return view('device', who, { title: words.say('device.title'), fault, typed }, status)
}

type Pending = Extract<LookedUp, { kind: 'pending' }>

async function consent(visit: Visit, who: Visitor, { flow, userCode }: Pending): Promise<Answer> {
  const { cases, http, words, ip } = visit
  const preview = await cases.previewApproval(who.account, flow)
  const country = http.countryOf?.(flow.origin.ip) ?? null
  return view('authorize', who, {
    title: words.say('consent.title'),
    userCode,
    clientId: flow.clientId,
    deviceLabel: flow.deviceLabel,
    age: words.ago(flow.createdAtMs, http.now()),
    requestIp: flow.origin.ip,
    requestAgent: flow.origin.userAgent ?? '',
    country: country === null ? '' : words.country(country),
    browserIp: ip,
    // Somebody who was talked into a code of another person's sees it here, or never (RFC 8628 §5.4).
    elsewhere: flow.origin.ip !== ip,
    workspaceName: preview.workspaceName ?? '',
    replacesSession: preview.replacesSession,
    permissions: permissionsIn(words, preview.scopes),
    until: words.instant(preview.expiresAtMs),
  })
}

/** Authorize or Deny. The guards are those of the JSON routes, in their order. */
export async function decide(visit: Visit): Promise<Answer> {
  const { cases, claims, form, ip } = visit
  const { account } = await cases.consoleGuards.mayDecide(claims)
  const { user_code: userCode = '', decision } = form
  if (decision !== 'approve' && decision !== 'deny') {
    throw new DomainError('invalid_input', { issues: [{ type: 'picklist', loc: ['decision'], msg: 'is unknown' }] })
  }
  const found = await cases.lookUpUserCode(userCode)
  if (decision === 'approve') await cases.approveDevice({ account, userCode, ip })
  else await cases.denyDevice({ accountId: account.id, userCode, ip })
  keepOutcome(visit, { decision, deviceLabel: found.kind === 'pending' ? found.flow.deviceLabel : '' })
  return go('/device')
}

function decidedView({ words }: Visit, who: Visitor | null, outcome: ReturnType<typeof takeOutcome> & object): Answer {
  const { decision, deviceLabel } = outcome
  return view('decided', who, {
    mark: decision === 'approve' ? 'good-mark' : 'no-mark',
    title: words.say(decision === 'approve' ? 'done.approved' : 'done.denied'),
    sentence: words.say(decision === 'approve' ? 'done.approvedHint' : 'done.deniedHint'),
    deviceLabel,
  })
}
