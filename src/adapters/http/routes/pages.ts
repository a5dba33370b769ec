import type { Context } from 'koa'
import type { HttpContext } from '../route.ts'

/** A page or one of its files. */
export type Page = {
  readonly method: 'get' | 'post'
  readonly path: string
  readonly serve: (ctx: Context, http: HttpContext) => Promise<void> | void
}

export const pageRoutes: readonly Page[] = []
