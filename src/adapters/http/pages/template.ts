/** What a template is filled with. Text is escaped, a false or empty value hides its section, a list repeats it. */
export type Values = { readonly [name: string]: string | boolean | readonly Values[] }

/** A page or a part of one, ready to be filled. @throws Error when a value that it names is missing */
export type Template = (values: Values) => string

type Part =
  | { readonly kind: 'html'; readonly html: string }
  | { readonly kind: 'value'; readonly name: string }
  | { readonly kind: 'section'; readonly name: string; readonly inverted: boolean; readonly parts: readonly Part[] }

const TAG = /\{\{([#^/]?)(\w+)\}\}/

/**
 * Reads `{{name}}`, `{{#name}}…{{/name}}` (shown when there is something) and `{{^name}}…{{/name}}` (when there is
 * nothing). There is no way to write a value unescaped, so none can be forgotten.
 * @throws Error when a section is not closed
 */
export function compileTemplate(source: string): Template {
  // Splitting by two groups yields html, sigil, name, html, sigil, name, …, html.
  const pieces = source.split(TAG)
  let at = 0

  function readParts(until: string | null): readonly Part[] {
    const parts: Part[] = []
    for (;;) {
      parts.push({ kind: 'html', html: pieces[at] ?? '' })
      const sigil = pieces[at + 1]
      const name = pieces[at + 2] ?? ''
      if (sigil === undefined || sigil === '/') {
        if ((sigil === undefined ? null : name) !== until) throw new Error(`template: ${until ?? name} is not closed`)
        at += 3
        return parts
      }
      at += 3
      if (sigil === '') parts.push({ kind: 'value', name })
      else parts.push({ kind: 'section', name, inverted: sigil === '^', parts: readParts(name) })
    }
  }

  const parts = readParts(null)
  return (values) => fill(parts, values)
}

function fill(parts: readonly Part[], values: Values): string {
  return parts
    .map((part) => {
      if (part.kind === 'html') return part.html
      const value = values[part.name]
      if (value === undefined) throw new Error(`template: no value for ${part.name}`)
      if (part.kind === 'value') return escapeHtml(String(value))
      const isThere = Array.isArray(value) ? value.length > 0 : value !== false && value !== ''
      if (isThere === part.inverted) return ''
      const scopes = Array.isArray(value) && !part.inverted ? value : [{}]
      return scopes.map((scope: Values) => fill(part.parts, { ...values, ...scope })).join('')
    })
    .join('')
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Text that means itself in HTML, in an element as in a quoted attribute. */
function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (letter) => ESCAPES[letter] ?? '')
}
