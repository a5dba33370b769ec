import type { Context } from 'koa'
import { DomainError } from '#domain/errors.ts'
import type { HttpContext } from '../http-context.ts'
import { install, installPage, signIn, signInPage, signOut, start } from '../pages/account-pages.ts'
import { type Answer, assets, go, writeAnswer } from '../pages/answer.ts'
import { decide, devicePage, enterCode } from '../pages/device-pages.ts'
import { problemPage } from '../pages/problems.ts'
import { revokeTerminal, sessionsPage } from '../pages/session-pages.ts'
import { openVisit, type Visit } from '../pages/visit.ts'
import type { Asset } from '../pages/web-folder.ts'

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
      let userCode: string | null = null
      try {
        const visit = await openVisit(ctx, http)
        userCode = visit.userCode
        writeAnswer(ctx, await answer(visit))
      } catch (thrown) {
        // The last resort for people: the app's own answer to a throw is JSON.
        writeProblem(ctx, http, thrown, userCode, path)
      }
    },
  }
}

function writeProblem(ctx: Context, http: HttpContext, thrown: unknown, userCode: string | null, path: string): void {
  if (thrown instanceof DomainError && thrown.code === 'not_setup') {
    writeAnswer(ctx, go('/install'))
    return
  }
  const { answer, headers } = problemPage(thrown, userCode, path === '/device' || path === '/device/decide')
  ctx.set({ ...headers })
  writeAnswer(ctx, answer)
  if (thrown instanceof DomainError && ctx.status < 500) return
  http.log.error('page failed', { requestId: ctx.state.requestId, route: path, error: thrown })
}

function asset({ name, type, etag, bytes }: Asset): Page {
  return {
    method: 'get',
    path: `/assets/${name}`,
    serve(ctx) {
      ctx.status = 200
      ctx.set({ 'Cache-Control': 'public, max-age=60', ETag: `"${etag}"` })
      ctx.type = type
      if (ctx.fresh) ctx.status = 304
      else ctx.body = bytes
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
  ...assets.map(asset),
]
