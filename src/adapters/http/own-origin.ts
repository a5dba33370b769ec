import type { Context } from 'koa'
import { DomainError } from '#domain/errors.ts'

type Origins = { readonly webOrigin: () => string; readonly issuer: () => string | null }

/**
 * Login CSRF: another site must not sign a browser in, or set the server up, behind its user's back. `null` is
 * foreign too: sandboxed frames send it. A caller without the header is no browser, so nobody steers it.
 * @throws DomainError `foreign_origin`
 */
export function refuseForeignOrigin(ctx: Context, { webOrigin, issuer }: Origins): void {
  const origin = ctx.get('Origin')
  if (origin === '') return
  const api = issuer()
  const own = [webOrigin(), ...(api === null ? [] : [new URL(api).origin]), ...ownAddress(ctx)]
  if (!own.includes(origin)) throw new DomainError('foreign_origin', {})
}

/** The origin of the Host header when it is an address: a stranger's name can be made to point here (DNS rebinding). */
function ownAddress(ctx: Context): readonly string[] {
  const host = ctx.get('Host')
  const isAddress = /^(?:localhost|[\d.]+|\[[\da-f:.]+\])(?::\d+)?$/i.test(host)
  return isAddress ? [`${ctx.protocol}://${host}`] : []
}
