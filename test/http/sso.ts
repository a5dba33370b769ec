import { CompactSign } from 'jose'
import { aBridge } from '../support/policy.ts'
import type { Reply, WorldOptions } from '../support/world.ts'
import { API, aPlace, type Place } from './place.ts'

/** The trusted origin of a place with external sign-on. */
export const ORIGIN = 'https://latchkey.example'
export const DEVICE = `${API}/oauth/device`
export const EVE = { email: 'eve@company.example', issuer: 'https://idp.company.example' }

export const ASSERTION = 'api.device_flow.external_subject_assertion'
export const GRANT = 'api.device_flow.approval_grant'
export const ENVELOPE = 'api.sso.state_envelope'

/** The key and header under which places sign. */
export const PLACE_KEY = 'k'.repeat(32)
export const HEADER = { alg: 'HS256', kid: 'test', typ: 'JWT' }

export type Claims = Readonly<Record<string, unknown>>
type Headers = Readonly<Record<string, string>>

/** Signs anything at all, as a bridge with a fault could. */
export function signAs(payload: unknown, header: Headers = HEADER, key = PLACE_KEY): Promise<string> {
  const text = typeof payload === 'string' ? payload : JSON.stringify(payload)
  return new CompactSign(new TextEncoder().encode(text))
    .setProtectedHeader({ alg: 'HS256', ...header })
    .sign(new TextEncoder().encode(key))
}

/** A place that is licensed for external sign-on. */
export function anSsoPlace(options: Omit<WorldOptions, 'change'> = {}): Promise<Place> {
  return aPlace({
    ...options,
    settings: { consoleApiUrl: ORIGIN, ...options.settings },
    change: (ports) => ({ ...ports, bridge: aBridge() }),
  })
}

/** What a browser holds after a sign-on. */
export type SignedOn = { readonly cookie: Headers; readonly csrf: string }

/** The steps of an external sign-on at one place. */
export function ssoOf(place: Place) {
  const nowS = () => Math.floor(place.clock.now() / 1000)
  let drawn = 0

  const sso = {
    nowS,
    assertionClaims: (userCode: string, overrides: Claims = {}): Claims => {
      drawn += 1
      const times = { aud: ASSERTION, iat: nowS(), exp: nowS() + 300 }
      return { ...EVE, user_code: userCode, nonce: `nonce-${drawn}`, ...times, ...overrides }
    },
    grantClaims: (userCode: string, overrides: Claims = {}): Claims => {
      drawn += 1
      const person = { iss: ORIGIN, subject_email: EVE.email, subject_issuer: EVE.issuer }
      const times = { aud: GRANT, iat: nowS(), exp: nowS() + 300 }
      return { ...person, user_code: userCode, nonce: `grant-${drawn}`, csrf_token: 'csrf', ...times, ...overrides }
    },
    initiate: (userCode: string, headers: Headers = {}) =>
      place.get(`${DEVICE}/sso-initiate?user_code=${encodeURIComponent(userCode)}`, { headers }),
    complete: (assertion: string, headers: Headers = {}) =>
      place.get(`${DEVICE}/sso-complete?sso_assertion=${encodeURIComponent(assertion)}`, { headers }),
    context: (cookie: Headers) => place.get(`${DEVICE}/approval-context`, { headers: cookie }),
    approve: (cookie: Headers, csrf: string, userCode: unknown) =>
      place.post(`${DEVICE}/approve-external`, {
        headers: { ...cookie, 'X-CSRF-Token': csrf },
        json: { user_code: userCode },
      }),
    /** Comes back from the provider with a good assertion. */
    async signOn(userCode: string, person: Claims = {}): Promise<SignedOn> {
      const completed = await sso.complete(await signAs(sso.assertionClaims(userCode, person)))
      const cookie = grantOf(completed)
      if (cookie === null) throw new Error(`the sign-on answered ${completed.status}: ${completed.text}`)
      const { json } = await sso.context(cookie)
      return { cookie, csrf: json.csrf_token }
    },
    /** The whole of it: a terminal asks, a person signs on and approves, the terminal picks up. */
    async login(how: { readonly label?: string; readonly person?: Claims } = {}): Promise<Reply> {
      const { userCode, deviceCode } = await place.startFlow(how.label)
      const { cookie, csrf } = await sso.signOn(userCode, how.person)
      const approved = await sso.approve(cookie, csrf, userCode)
      if (approved.status !== 200) throw new Error(`approve answered ${approved.status}: ${approved.text}`)
      return place.post(`${DEVICE}/token`, { json: { device_code: deviceCode, client_id: 'difyctl' } })
    },
  }
  return sso
}

/** The grant in an answer, as a browser sends it back; null when there is none. */
export function grantOf({ headers }: Reply): Headers | null {
  const [, sealed = ''] = /device_approval_grant=([^;]*)/.exec(headers.getSetCookie().join('\n')) ?? []
  return sealed === '' ? null : cookieOf(sealed)
}

/** The cookie that holds `sealed`. */
export function cookieOf(sealed: string): Headers {
  return { Cookie: `device_approval_grant=${sealed}` }
}
