import type { Context } from 'koa'
import { DomainError } from '#domain/errors.ts'
import type { HttpContext } from '../http-context.ts'
import { install, installPage, signIn, signInPage, signOut, start } from '../pages/account-pages.ts'
import { type Answer, assets, go, type Manner, writeAnswer } from '../pages/answer.ts'
import type { Asset } from '../pages/asset.ts'
import { decide, devicePage, enterCode } from '../pages/device-pages.ts'
import { missingPage, problemPage } from '../pages/problems.ts'
import { revokeOthers, revokeTerminal, sessionsPage } from '../pages/session-pages.ts'
import { afterSignIn, openVisit, type Visit } from '../pages/visit.ts'
import { wordsIn } from '../pages/words.ts'

/** A page or one of its files. */
export type Page = {
  readonly method: 'get' | 'post'
  readonly path: string
  readonly serve: (ctx: Context, http: HttpContext) => Promise<void> | void
}

function page(method: Page['method'], path: string, answer: (visit: Visit) => Promise<Answer>): Page {
  return {
    method,
    path,
    async serve(ctx, http) {
      const manner: Manner = { words: wordsOf(ctx), brand: http.brand, renewTo: '' }
      let userCode: string | null = null
      try {
        const visit = await openVisit(ctx, http, manner.words)
        userCode = visit.userCode
        writeAnswer(ctx, await answer(visit), { ...manner, renewTo: renewTo(visit, path) })
      } catch (thrown) {
        // The last resort for people: the app's own answer to a throw is JSON.
        writeProblem(ctx, http, thrown, userCode, path, manner)
      }
    },
  }
}

/** A browser that asks for Chinese of any kind is better served by simplified characters than by English. */
function wordsOf(ctx: Context) {
  return wordsIn(ctx.acceptsLanguages('en', 'zh') === 'zh' ? 'zh-Hans' : 'en')
}

/**
 * Where a browser whose session has run out goes on once it has renewed it. Its script renews, not the server: of two
 * tabs that renew at once the second would show a used refresh token, which ends the sign-in, and only tabs can take
 * turns.
 */
function renewTo({ ctx, http, query, userCode }: Visit, path: string): string {
  if (ctx.method !== 'GET' || (path !== '/device' && path !== '/signin')) return ''
  return http.cookies.read(ctx, 'refresh_token') === null ? '' : afterSignIn(query.return_to, userCode)
}

function writeProblem(
  ctx: Context,
  http: HttpContext,
  thrown: unknown,
  userCode: string | null,
  path: string,
  manner: Manner,
): void {
  if (thrown instanceof DomainError && thrown.code === 'not_setup') {
    writeAnswer(ctx, go('/install'), manner)
    return
  }
  const { answer, headers } = problemPage(thrown, manner.words, userCode, path)
  ctx.set({ ...headers })
  writeAnswer(ctx, answer, manner)
  if (thrown instanceof DomainError && ctx.status < 500) return
  http.log.error('page failed', { requestId: ctx.state.requestId, route: path, error: thrown })
}

/** Answers whoever looks for a page at an address that has none; its status stays what it is. */
export function writeMissingPage(ctx: Context, { brand }: HttpContext, error: DomainError): void {
  const words = wordsOf(ctx)
  const { answer, headers } = missingPage(error, words)
  ctx.set({ ...headers })
  writeAnswer(ctx, answer, { words, brand, renewTo: '' })
}

function file(name: string, find: (http: HttpContext) => Asset | null): Page {
  return {
    method: 'get',
    path: `/assets/${name}`,
    serve(ctx, http) {
      const found = find(http)
      if (found === null) throw new DomainError('not_found', {})
      ctx.status = 200
      ctx.set({ 'Cache-Control': 'public, max-age=60', ETag: `"${found.etag}"` })
      ctx.type = found.type
      ctx.vary('Accept-Encoding')
      if (ctx.fresh) {
        ctx.status = 304
        return
      }
      const gzip = ctx.acceptsEncodings('gzip', 'identity') === 'gzip'
      if (gzip) ctx.set('Content-Encoding', 'gzip')
      ctx.body = gzip ? found.gzipped : found.bytes
    },
  }
}

/** What people see. Every change is a form post, so everything works without a script. */
export const pageRoutes: readonly Page[] = [
  page('get', '/', start),
  page('get', '/install', installPage),
  page('post', '/install', install),
  page('get', '/signin', signInPage),
  page('post', '/signin', signIn),
  page('post', '/signout', signOut),
  page('get', '/device', devicePage),
  page('post', '/device', enterCode),
  page('post', '/device/decide', decide),
  page('get', '/device/sessions', sessionsPage),
  page('post', '/device/sessions/revoke', revokeTerminal),
  page('post', '/device/sessions/revoke-others', revokeOthers),
  ...assets.map((asset) => file(asset.name, () => asset)),
  file('logo', ({ brand }) => brand.logo),
  file('brand.css', ({ brand }) => brand.accentCss),
]
