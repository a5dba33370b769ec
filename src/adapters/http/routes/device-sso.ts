import * as v from 'valibot'
import { DomainError } from '#domain/errors.ts'
import { limits } from '#domain/rate-limit.ts'
import { signInExamples } from '../examples/sign-in.ts'
import { type Redirect, redirect } from '../redirect.ts'
import type { RequestFacts } from '../request-facts.ts'
import { type Route, route } from '../route.ts'

const nothing = v.object({})

const ssoInitiate = route({
  method: 'get',
  path: '/oauth/device/sso-initiate',
  summary: 'Send the browser to the company’s identity provider',
  access: { kind: 'enterprise', limit: limits.ssoInitiate },
  query: v.object({ user_code: v.optional(v.string()) }),
  status: 302,
  reply: nothing,
  example: signInExamples.ssoInitiate,
  errors: [
    'not_found',
    'rate_limited',
    'user_code_required',
    'invalid_user_code',
    'console_api_url_unset',
    'sso_initiate_failed',
    'sso_initiate_missing_url',
  ],
  handle: async ({ query }, _anyone, cases, { deviceCookies }) => {
    const browser = deviceCookies.browser() ?? cases.newBrowserName()
    const url = await cases.beginSso({ userCode: query.user_code || null, browser })
    deviceCookies.clearGrant()
    deviceCookies.setBrowser(browser)
    return redirect(url)
  },
})

const ssoComplete = route({
  method: 'get',
  path: '/oauth/device/sso-complete',
  summary: 'Take the signed assertion of who has signed in',
  access: { kind: 'enterprise' },
  query: v.object({ sso_assertion: v.optional(v.string()) }),
  status: 302,
  reply: nothing,
  example: signInExamples.ssoComplete,
  errors: [
    'not_found',
    'sso_assertion_required',
    'invalid_sso_assertion',
    'user_code_not_pending',
    'console_api_url_unset',
  ],
  handle: ({ query }, _anyone, cases, facts) =>
    orFailedPage(facts, () => complete(query.sso_assertion || null, cases, facts)),
})

const ssoCallback = route({
  method: 'get',
  path: '/oauth/device/sso-callback',
  summary: 'Come back from the OpenID provider that this server is configured with',
  // As often as one sets out: each call makes this server ask the provider.
  access: { kind: 'enterprise', limit: limits.ssoCallback },
  query: v.object({
    state: v.optional(v.string()),
    code: v.optional(v.string()),
    error: v.optional(v.string()),
  }),
  status: 302,
  reply: nothing,
  example: signInExamples.ssoCallback,
  errors: [
    'not_found',
    'rate_limited',
    'invalid_sso_assertion',
    'user_code_not_pending',
    'console_api_url_unset',
    'enterprise_failed',
  ],
  handle: (_input, _anyone, cases, facts) =>
    orFailedPage(facts, async () => {
      const query = new URLSearchParams(facts.querystring)
      return complete(await cases.finishSso({ query, browser: facts.deviceCookies.browser() }), cases, facts)
    }),
})

async function complete(
  assertion: string | null,
  cases: Parameters<Route['serve']>[1]['cases'],
  { ip, deviceCookies }: RequestFacts,
): Promise<Redirect> {
  const completion = await cases.completeSso({ assertion, ip })
  if (completion.kind === 'account_email') return redirect('/device?sso_error=email_belongs_to_dify_account')
  if (completion.kind === 'blocked') return redirect('/device?sso_error=access_denied')
  deviceCookies.setGrant(completion.sealedGrant)
  return redirect('/device?sso_verified=1')
}

const SHOWN_AS_PAGE: readonly string[] = [
  'sso_assertion_required',
  'invalid_sso_assertion',
  'user_code_not_pending',
  'enterprise_failed',
]

/** A person in a browser gets a page, not JSON; a client that asks for no HTML keeps its status. */
async function orFailedPage({ asksForHtml, http }: RequestFacts, work: () => Promise<Redirect>): Promise<Redirect> {
  try {
    return await work()
  } catch (error) {
    if (asksForHtml && error instanceof DomainError && SHOWN_AS_PAGE.includes(error.code)) {
      // A redirect is no 5xx, which would be logged by itself.
      if (error.code === 'enterprise_failed') http.log.error('external sign-on failed', { error })
      return redirect('/device?sso_error=sso_failed')
    }
    throw error
  }
}

/** Bounds are those of what may be signed: an id, a person, an event. */
const MAX_LOGOUT_TOKEN_LENGTH = 16_384

const backchannelLogout = route({
  method: 'post',
  path: '/oauth/device/backchannel-logout',
  summary: 'Hear from the OpenID provider that a person has signed out (OpenID Connect Back-Channel Logout 1.0)',
  access: { kind: 'enterprise' },
  form: true,
  invalid: 'oauth',
  body: v.object({ logout_token: v.pipe(v.string(), v.minLength(1), v.maxLength(MAX_LOGOUT_TOKEN_LENGTH)) }),
  reply: nothing,
  example: signInExamples.backchannelLogout,
  errors: ['not_found', 'invalid_request', 'unsupported_media_type', 'enterprise_failed'],
  handle: async ({ body }, _anyone, cases) => {
    await cases.hearLogout(body.logout_token)
    return {}
  },
})

/** The branch for people known only to their company's identity provider, up to a grant that lets them decide. */
export const deviceSsoRoutes: readonly Route[] = [ssoInitiate, ssoComplete, ssoCallback, backchannelLogout]
