import * as v from 'valibot'
import { DomainError } from '#domain/errors.ts'
import { passwordFault } from '#domain/password-policy.ts'
import { Email, PersonName } from '../routes/console.ts'
import { type Answer, go, view } from './answer.ts'
import type { TextKey } from './text-en.ts'
import { afterSignIn, SESSIONS, type Visit, whoVisits, withCode } from './visit.ts'
import type { Words } from './words.ts'

/** Where a visit without a page begins. */
export async function start({ cases }: Visit): Promise<Answer> {
  return go((await cases.owner()) === null ? '/install' : '/device')
}

/** The first visit's form; afterwards the way to sign in. */
export async function installPage(visit: Visit): Promise<Answer> {
  if ((await visit.cases.owner()) !== null) return go(withCode('/signin', visit.userCode))
  return installView(visit, '', 200)
}

/** Creates the first account, once. @throws DomainError `already_setup` */
export async function install(visit: Visit): Promise<Answer> {
  const email = v.safeParse(Email, visit.form.email)
  const name = v.safeParse(PersonName, visit.form.name)
  const password = visit.form.password ?? ''
  const { say } = visit.words
  if (!email.success) return installView(visit, say('install.badEmail'), 422)
  if (!name.success) return installView(visit, say('install.badName'), 422)
  const fault = passwordFault(password)
  if (fault !== null) return installView(visit, say(PASSWORD_FAULTS[fault] ?? 'install.passwordHint'), 422)
  try {
    await visit.cases.setUp({ email: email.output, name: name.output, password, pass: await passOf(visit) })
  } catch (error) {
    const refusal = refusalOf(error, visit.words)
    if (refusal === null) throw error
    return installView(visit, refusal.sentence, refusal.status)
  }
  const next = withCode('/signin', visit.userCode)
  return go(`${next}${next.includes('?') ? '&' : '?'}created=1`)
}

async function installView(
  { cases, http, words, form, userCode }: Visit,
  fault: string,
  status: number,
): Promise<Answer> {
  const { email = '', name = '' } = form
  const isLocked = await cases.setUpGuard.isLocked(null)
  const title = words.say('install.title', { brand: http.brand.name })
  return view('install', null, { title, fault, email, name, isLocked, userCode: userCode ?? '' }, status)
}

/** The domain's words for what is wrong with a password, and ours. */
const PASSWORD_FAULTS: Readonly<Record<string, TextKey>> = {
  'password must be at least 8 characters': 'password.short',
  'password must be at most 256 characters': 'password.long',
  'password must contain a letter': 'password.letter',
  'password must contain a digit': 'password.digit',
}

/** The page shows the set-up password and the account in one go. */
async function passOf({ cases, form, ip }: Visit): Promise<string | null> {
  if (!(await cases.setUpGuard.isLocked(null))) return null
  return (await cases.setUpGuard.unlock({ password: form.init_password ?? '', ip })).pass
}

/** The sign-in form, also for somebody who is signed in and wants to be somebody else. */
export async function signInPage(visit: Visit): Promise<Answer> {
  if ((await visit.cases.owner()) === null) return go(withCode('/install', visit.userCode))
  return signInView(visit, '', 200)
}

/** Signs the browser in and goes on to the device, with its code when the visit began with one. */
export async function signIn(visit: Visit): Promise<Answer> {
  const { cases, http, ctx, words, form, ip, userCode } = visit
  const { email = '', password = '' } = form
  if (email === '' || password === '') return signInView(visit, words.say('signin.empty'), 422)
  if (email.length > 320 || password.length > 1024) return signInView(visit, words.say('signin.wrong'), 401)
  try {
    http.cookies.set(ctx, await cases.consoleSessions.signIn({ email, password, ip }), http.now())
  } catch (error) {
    const refusal = refusalOf(error, visit.words)
    if (refusal === null) throw error
    return signInView(visit, refusal.sentence, refusal.status)
  }
  return go(afterSignIn(form.return_to, userCode))
}

function refusalOf(error: unknown, { say, wait }: Words) {
  if (!(error instanceof DomainError)) return null
  if (error.code === 'authentication_failed') return { sentence: say('signin.wrong'), status: 401 }
  if (error.code === 'init_validate_failed') return { sentence: say('install.badPass'), status: 401 }
  if (!isRateLimited(error)) return null
  return { sentence: say('signin.wait', { wait: wait(error.facts.retryAfterMs) }), status: 429 }
}

function isRateLimited(error: DomainError): error is DomainError<'rate_limited'> {
  return error.code === 'rate_limited'
}

async function signInView(visit: Visit, fault: string, status: number): Promise<Answer> {
  const { form, query, words, userCode } = visit
  const values = {
    fault,
    typedEmail: form.email ?? '',
    userCode: userCode ?? '',
    returnTo: (form.return_to ?? query.return_to) === SESSIONS ? SESSIONS : '',
    justCreated: query.created === '1',
  }
  return view('signin', await whoVisits(visit), { title: words.say('signin.title'), ...values }, status)
}

/** Ends the session everywhere; without one there is nothing to protect, and the cookies go all the same. */
export async function signOut({ cases, claims, http, ctx }: Visit): Promise<Answer> {
  if ((await cases.consoleGuards.whoIs(claims)) !== null) {
    const { session } = await cases.consoleGuards.mayChange(claims)
    await cases.consoleSessions.signOut(session.family)
  }
  http.cookies.clear(ctx)
  return go('/signin')
}
