import cors from '@koa/cors'
import type { Context, Next } from 'koa'
import { setHead } from './answer.ts'

const METHODS = ['GET', 'POST', 'PATCH', 'DELETE', 'OPTIONS']

/** Lets pages of these origins call what is under `prefix`, and answers the question that their browsers ask first. */
export function makeCors(origins: readonly string[], prefix: string) {
  const allow = cors({
    origin: (ctx) => (origins.includes(ctx.get('Origin')) ? ctx.get('Origin') : ''),
    allowMethods: METHODS.join(', '),
    allowHeaders: 'Authorization, Content-Type, X-CSRF-Token',
    exposeHeaders: 'X-Version, X-Request-Id, Retry-After',
    maxAge: 600,
    credentials: true,
  })
  return (ctx: Context, next: Next): Promise<void> => {
    if (!ctx.path.startsWith(prefix)) return next()
    if ((ctx.req.headers.origin ?? '') !== '' || ctx.method === 'OPTIONS') return answerOrigin(ctx, next)
    setHead(ctx, 'Vary', 'Origin')
    return next()
  }

  async function answerOrigin(ctx: Context, next: Next): Promise<void> {
    const isPreflight = ctx.method === 'OPTIONS' && ctx.get('Access-Control-Request-Method') !== ''
    await allow(ctx, isPreflight ? async () => {} : next)
    if (!isPreflight) return
    ctx.status = 200
    ctx.body = ''
  }
}
