import type { Context } from 'koa'

/** The two cookies of an external sign-on; both are for its routes only. */
export type DeviceCookies = {
  grant(): string | null
  setGrant(sealedGrant: string): void
  clearGrant(): void
  /** Names the browser that set out for the identity provider; null when it never did. */
  browser(): string | null
  setBrowser(name: string): void
}

const GRANT = 'device_approval_grant'
const BROWSER = 'device_sso_browser'
const PATH = '/openapi/v1/oauth/device'
/** Seconds: as long as what is signed into it. */
const GRANT_S = 300
const BROWSER_S = 900
const BROWSER_NAME = /^[\w-]{43}$/

/** Bound to one request. `secure` as for the console's cookies; a Path forbids the `__Host-` prefix. */
export function deviceCookiesOf(ctx: Context, secure: boolean): DeviceCookies {
  const write = (name: string, value: string, maxAgeS: number) => {
    const parts = [`${name}=${value}`, `Path=${PATH}`, `Max-Age=${maxAgeS}`, 'SameSite=Lax', 'HttpOnly']
    if (secure) parts.push('Secure')
    ctx.append('Set-Cookie', parts.join('; '))
  }
  const read = (name: string) => ctx.cookies.get(name) || null
  return {
    grant: () => read(GRANT),
    setGrant: (sealedGrant) => write(GRANT, sealedGrant, GRANT_S),
    clearGrant: () => write(GRANT, '', 0),
    browser() {
      const name = read(BROWSER)
      return name !== null && BROWSER_NAME.test(name) ? name : null
    },
    setBrowser: (name) => write(BROWSER, name, BROWSER_S),
  }
}
