import type { Context } from 'koa'
import type { HttpContext } from './http-context.ts'
import { SECURITY_HEADERS } from './security-headers.ts'

/** Only this very host: what else lives under its domain is somebody else's (RFC 6797 §6.1). */
const HSTS = 'max-age=31536000'

/** What every answer says; names and values in turn. */
export function usualHeaders({ version, cookies }: HttpContext): readonly string[] {
  const hsts = cookies.secure ? ['Strict-Transport-Security', HSTS] : []
  return ['X-Version', version, ...SECURITY_HEADERS.flat(), ...hsts]
}

/**
 * Begins the head of an answer: names and values in turn, as Node takes them all at once. One by one they are each
 * checked, kept and looked up again, which for a small answer costs as much as all its checks.
 */
export function beginHead(ctx: Context, usual: readonly string[]): void {
  ctx.state.head = [...usual]
}

/** Sets a header of the answer, whatever its kind; of a name given again the last value counts. */
export function setHead(ctx: Context, name: string, value: string): void {
  const head: string[] = ctx.state.head
  const at = head.indexOf(name)
  if (at === -1) head.push(name, value)
  else head[at + 1] = value
}

/** Gives the head to Koa or to whoever writes the answer by themselves; what these have set stays. */
export function handOverHead({ res, state }: Context): void {
  for (const [name, value] of pairsOf(state.head)) if (!res.hasHeader(name)) res.setHeader(name, value)
}

/** Makes `body` the answer; it leaves with `sendAnswer`. What Koa would have to find out is known here: it is JSON. */
export function answerJson(ctx: Context, status: number, body: unknown): void {
  ctx.res.statusCode = status
  ctx.state.json = JSON.stringify(body)
  ctx.respond = false
}

/** Sends what `answerJson` made, to whoever is still there; any other answer is Koa's to send. */
export function sendAnswer(ctx: Context): void {
  const { res, state } = ctx
  const json: string | undefined = state.json
  if (res.headersSent || res.destroyed) return
  if (json === undefined) {
    handOverHead(ctx)
    return
  }
  setHead(ctx, 'Content-Type', 'application/json; charset=utf-8')
  setHead(ctx, 'Content-Length', String(Buffer.byteLength(json)))
  // Set past us: a cookie, or that the connection ends.
  if (res.getHeaderNames().length === 0) res.writeHead(res.statusCode, state.head)
  else for (const [name, value] of pairsOf(state.head)) res.setHeader(name, value)
  res.end(json)
}

function* pairsOf(head: readonly string[]): Generator<readonly [name: string, value: string]> {
  for (let at = 0; at < head.length; at += 2) yield [head[at] ?? '', head[at + 1] ?? '']
}
