import { expectText, Mismatch } from './mismatch.ts'
import type { Visitor } from './visitor.ts'

const MAX_REDIRECTS = 5
type Page = { readonly url: string; readonly html: string }
type Form = {
  readonly action: string
  readonly method: string
  readonly fields: URLSearchParams
  readonly html: string
}

/** The pages without a browser: forms are read from the HTML and posted, cookies kept. */
export function openFormVisitor(): Visitor {
  const cookies = new Map<string, string>()

  async function open(url: string, init: RequestInit = {}): Promise<Page> {
    let at = url
    let request = init
    for (let hop = 0; hop <= MAX_REDIRECTS; hop += 1) {
      const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
      const headers = { Accept: 'text/html', Origin: new URL(at).origin, ...(cookie === '' ? {} : { Cookie: cookie }) }
      const response = await fetch(at, { ...request, headers, redirect: 'manual' })
      for (const line of response.headers.getSetCookie()) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
        cookies.set(name, value)
      }
      const location = response.headers.get('location')
      const html = await response.text()
      if (location === null && response.ok) return { url: at, html }
      if (location === null) throw new Mismatch(`${at} answered ${response.status}:\n${html}`)
      at = new URL(location, at).href
      request = {}
    }
    throw new Mismatch(`${url} redirects without end`)
  }

  async function submit(page: Page, values: Readonly<Record<string, string>>): Promise<Page> {
    const form = formWith(page, Object.keys(values))
    for (const [name, value] of Object.entries(values)) form.fields.set(name, value)
    if (form.method === 'post') return open(form.action, { method: 'POST', body: form.fields })
    return open(`${form.action}?${form.fields}`)
  }

  return {
    means: 'plain form posts, no browser',
    async install(server, { email, name, password }) {
      await submit(await open(`${server}/install`), { email, name, password })
    },
    async signIn(server, { email, password }) {
      await submit(await open(`${server}/signin`), { email, password })
    },
    async approve(link, userCode) {
      let page = await open(link)
      if (!page.html.includes('name="decision"')) page = await submit(page, { user_code: userCode })
      expectText('the consent page', page.html, userCode)
      await submit(page, { decision: 'approve' })
    },
    async close() {},
  }
}

/** The page's first form that has all of `names`. */
function formWith(page: Page, names: readonly string[]): Form {
  const forms = [...page.html.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/g)].map(([, head = '', body = '']): Form => {
    const fields = new URLSearchParams()
    for (const [input] of body.matchAll(/<input\b[^>]*>/g)) {
      const name = attribute(input, 'name')
      if (name !== '') fields.set(name, attribute(input, 'value'))
    }
    const action = new URL(attribute(head, 'action') || page.url, page.url).href
    return { action, method: attribute(head, 'method').toLowerCase(), fields, html: body }
  })
  const found = forms.find(({ html }) => names.every((name) => html.includes(`name="${name}"`)))
  if (found === undefined) throw new Mismatch(`no form with ${names.join(', ')} on ${page.url}:\n${page.html}`)
  return found
}

function attribute(tag: string, name: string): string {
  const [, value = ''] = new RegExp(`\\b${name}="([^"]*)"`).exec(tag) ?? []
  return value.replaceAll('&quot;', '"').replaceAll('&#39;', "'").replaceAll('&lt;', '<').replaceAll('&amp;', '&')
}
