import * as v from 'valibot'
import { DomainError } from '#domain/errors.ts'
import { passwordFault } from '#domain/password-policy.ts'
import { Email, PersonName } from '../routes/console.ts'
import { type Answer, go, view } from './answer.ts'
import { type Visit, whoVisits, withCode } from './visit.ts'
import { waitInWords } from './words.ts'

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
  if (!email.success) return installView(visit, 'Enter an email address.', 422)
  if (!name.success) return installView(visit, 'Enter your name, with at most 30 characters.', 422)
  const fault = passwordFault(password)
  if (fault !== null) return installView(visit, `The ${fault}.`, 422)
  try {
    await visit.cases.setUp({ email: email.output, name: name.output, password, pass: await passOf(visit) })
  } catch (error) {
    const refusal = refusalOf(error)
    if (refusal === null) throw error
    return installView(visit, refusal.sentence, refusal.status)
  }
  const next = withCode('/signin', visit.userCode)
  return go(`${next}${next.includes('?') ? '&' : '?'}created=1`)
}

async function installView({ cases, form, userCode }: Visit, fault: string, status: number): Promise<Answer> {
  const { email = '', name = '' } = form
  const isLocked = await cases.setUpGuard.isLocked(null)
  return view('install', null, { title: 'Set up', fault, email, name, isLocked, userCode: userCode ?? '' }, status)
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
  const { cases, http, ctx, form, ip, userCode } = visit
  const { email = '', password = '' } = form
  if (email === '' || password === '') return signInView(visit, 'Enter your email and your password.', 422)
  if (email.length > 320 || password.length > 1024) return signInView(visit, WRONG, 401)
  try {
    http.cookies.set(ctx, await cases.consoleSessions.signIn({ email, password, ip }), http.now())
  } catch (error) {
    const refusal = refusalOf(error)
    if (refusal === null) throw error
    return signInView(visit, refusal.sentence, refusal.status)
  }
  return go(withCode('/device', userCode))
}

const WRONG = 'Email or password is wrong.'

function refusalOf(error: unknown) {
  if (!(error instanceof DomainError)) return null
  if (error.code === 'authentication_failed') return { sentence: WRONG, status: 401 }
  if (error.code === 'init_validate_failed') return { sentence: 'The set-up password is wrong.', status: 401 }
  if (!isRateLimited(error)) return null
  return { sentence: `Too many attempts. Wait ${waitInWords(error.facts.retryAfterMs)}, then try again.`, status: 429 }
}

function isRateLimited(error: DomainError): error is DomainError<'rate_limited'> {
  return error.code === 'rate_limited'
}

async function signInView(visit: Visit, fault: string, status: number): Promise<Answer> {
  const { form, query, userCode } = visit
  const values = { fault, email: form.email ?? '', userCode: userCode ?? '', justCreated: query.created === '1' }
  return view('signin', await whoVisits(visit), { title: 'Sign in', ...values }, status)
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
