import type { Context } from 'koa'
import type { BrowserCredentials } from '#application/use-cases/console-sessions.ts'
import type { SetUpPass } from '#application/use-cases/guard-set-up.ts'

export type CookieSettings = {
  /** Both public origins are https. */
  readonly secure: boolean
  readonly domain: string | null
}

type Name = 'access_token' | 'refresh_token' | 'csrf_token' | 'init_token'

/** The console's cookies: their names, attributes and nothing else. */
export type ConsoleCookies = {
  /** Both public origins are https. */
  readonly secure: boolean
  read(ctx: Context, name: Name): string | null
  set(ctx: Context, credentials: BrowserCredentials, nowMs: number): void
  clear(ctx: Context): void
  setPass(ctx: Context, pass: SetUpPass, nowMs: number): void
}

export function makeConsoleCookies({ secure, domain }: CookieSettings): ConsoleCookies {
  // __Host- ties a cookie to this exact host, so a sibling subdomain cannot plant one; it forbids a Domain.
  const nameOf = (name: Name) => (secure && domain === null ? `__Host-${name}` : name)
  const write = (ctx: Context, name: Name, value: string, maxAgeS: number) => {
    const parts = [`${nameOf(name)}=${value}`, 'Path=/', `Max-Age=${maxAgeS}`, 'SameSite=Lax']
    // The page's script copies the CSRF token into a header, so that one must be readable.
    if (name !== 'csrf_token') parts.push('HttpOnly')
    if (secure) parts.push('Secure')
    if (domain !== null) parts.push(`Domain=${domain}`)
    ctx.append('Set-Cookie', parts.join('; '))
  }
  return {
    secure,
    read: (ctx, name) => {
      const value = ctx.cookies.get(nameOf(name))
      return value === undefined || value === '' ? null : value
    },
    set(ctx, credentials, nowMs) {
      const accessS = Math.floor((credentials.accessExpiresAtMs - nowMs) / 1000)
      const refreshS = Math.floor((credentials.refreshExpiresAtMs - nowMs) / 1000)
      write(ctx, 'access_token', credentials.accessToken, accessS)
      write(ctx, 'csrf_token', credentials.csrfToken, accessS)
      write(ctx, 'refresh_token', encodeURIComponent(credentials.refreshToken), refreshS)
    },
    setPass(ctx, { pass, expiresAtMs }, nowMs) {
      write(ctx, 'init_token', pass, Math.floor((expiresAtMs - nowMs) / 1000))
    },
    clear(ctx) {
      for (const name of ['access_token', 'csrf_token', 'refresh_token'] as const) write(ctx, name, '', 0)
    },
  }
}
