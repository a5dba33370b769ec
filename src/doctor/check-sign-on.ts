import { createInnerApi } from '#adapters/enterprise/inner-api.ts'
import { makeReadServiceInfo } from '#adapters/enterprise/service-info.ts'
import type { Timer } from '#application/ports/clock.ts'
import type { Log } from '#application/ports/log.ts'
import { DomainError } from '#domain/errors.ts'
import type { Edition } from '../edition.ts'
import { ask } from './ask.ts'
import { type Finding, fail, ok, warn } from './finding.ts'

const NAME = 'sign-on'

/** Whether whoever vouches for people without an account can be asked. */
export async function checkSignOn(edition: Edition, timer: Timer, now: () => number): Promise<readonly Finding[]> {
  switch (edition.kind) {
    case 'community':
      return []
    case 'unlicensed':
      return [
        warn(
          NAME,
          'on, but nobody vouches',
          'set SSO_OIDC_ISSUER or ENTERPRISE_API_URL, or take ENTERPRISE_ENABLED out',
        ),
      ]
    case 'oidc':
      return [await checkIssuer(edition.issuer)]
    case 'remote':
      return [await checkService(edition, timer, now)]
  }
}

/** OpenID Connect Discovery 1.0 §4: the document is below the issuer and names it, letter by letter. */
async function checkIssuer(issuer: string): Promise<Finding> {
  const answer = await ask(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, null)
  if (!answer.ok)
    return fail(NAME, `the provider ${answer.fault}`, 'check SSO_OIDC_ISSUER, and that this machine may reach it')
  const said: unknown = Object(answer.body).issuer
  if (answer.status !== 200 || typeof said !== 'string') {
    return fail(NAME, `no provider answers there (status ${answer.status})`, 'check SSO_OIDC_ISSUER')
  }
  return said === issuer
    ? ok(NAME, 'the provider answers; its secret is only proven by signing in')
    : fail(
        NAME,
        'the provider calls itself otherwise',
        'write SSO_OIDC_ISSUER exactly as its discovery document does, closing slash included',
      )
}

async function checkService(
  edition: Extract<Edition, { kind: 'remote' }>,
  timer: Timer,
  now: () => number,
): Promise<Finding> {
  const silent: Log = { info: () => {}, warn: () => {}, error: () => {} }
  const api = createInnerApi({ ...edition, timer, traceparent: () => null })
  try {
    const { licenseStatus } = await makeReadServiceInfo({ api, now, log: silent })()
    return /^(active|expiring)$/.test(licenseStatus)
      ? ok(NAME, 'the Enterprise service answers and licenses')
      : warn(NAME, 'the Enterprise service answers, but no licence is in force', 'renew it there')
  } catch (error) {
    if (!(error instanceof DomainError)) throw error
    return fail(
      NAME,
      'the Enterprise service does not answer, or refuses the key',
      'check ENTERPRISE_API_URL and ENTERPRISE_API_SECRET_KEY',
    )
  } finally {
    await api.close()
  }
}
