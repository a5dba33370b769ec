import type { Context } from 'koa'
import type { Brand } from './brand.ts'
import type { Values } from './template.ts'
import type { Visitor } from './visit.ts'
import { readWebFolder, type ViewName } from './web-folder.ts'
import type { Words } from './words.ts'

/** What a page answers: a view, or where to go on. */
export type Answer =
  | { readonly kind: 'go'; readonly to: string }
  | {
      readonly kind: 'view'
      readonly view: ViewName
      readonly status: number
      readonly who: Visitor | null
      readonly values: Values & { readonly title: string }
    }

/** Read as the server starts, so that a missing file is a start that fails and not a page that does. */
const web = readWebFolder()

/** The files that pages link to. */
export const { assets } = web

/** See Other, whatever the method was: a 307 would repeat a password to the next page (RFC 9700 §4.12). */
export function go(to: string): Answer {
  return { kind: 'go', to }
}

/** A view for `who`; null is somebody who is not signed in. */
export function view(
  name: ViewName,
  who: Visitor | null,
  values: Values & { readonly title: string },
  status = 200,
): Answer {
  return { kind: 'view', view: name, status, who, values }
}

/** How every page looks and speaks to this visitor. `renewTo` is where a renewed session goes on; "" renews nothing. */
export type Manner = { readonly words: Words; readonly brand: Brand; readonly renewTo: string }

/** Writes the answer. */
export function writeAnswer(ctx: Context, answer: Answer, { words, brand, renewTo }: Manner): void {
  // With `no-referrer` browsers send `Origin: null` for our own forms, and those are refused. No other site sees more.
  ctx.set({
    'Cache-Control': 'no-store',
    'Referrer-Policy': 'same-origin',
    // A page that opened ours must not hold a handle to it while somebody decides.
    'Cross-Origin-Opener-Policy': 'same-origin',
  })
  if (answer.kind === 'go') {
    ctx.redirect(answer.to)
    ctx.status = 303
    return
  }
  const { who } = answer
  ctx.status = answer.status
  ctx.type = 'text/html; charset=utf-8'
  ctx.set('Content-Language', words.lang)
  ctx.vary('Accept-Language')
  ctx.body = web.views[words.lang][answer.view]({
    lang: words.lang,
    dir: words.dir,
    brand: brand.name,
    logo: brand.logoPath,
    accent: brand.accentCss !== null,
    renewTo: who === null ? renewTo : '',
    signedIn: who !== null,
    email: who?.account.email ?? '',
    csrfToken: who?.csrfToken ?? '',
    ...answer.values,
  })
}
