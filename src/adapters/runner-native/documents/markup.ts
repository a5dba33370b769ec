/** One piece of markup: a tag that opens, closes or does both, or the text between two. */
export type Piece =
  | { readonly kind: 'open' | 'close'; readonly tag: string; readonly attributes: string; readonly isEmpty: boolean }
  | { readonly kind: 'text'; readonly text: string }

const NAME = /\/?[A-Za-z_][\w:.-]*/y

/**
 * Reads XML or HTML leniently, in one pass that never looks back, so that no document costs more than its length. No
 * entity is ever declared or fetched: a document type is skipped like a comment (XXE, billion laughs). Tag names come
 * in lower case and without their prefix. What is never closed ends the reading.
 */
export function* pieces(markup: string): Iterable<Piece> {
  let at = 0
  while (at < markup.length) {
    const start = markup.indexOf('<', at)
    if (start !== at) {
      yield { kind: 'text', text: decodeEntities(markup.slice(at, start < 0 ? markup.length : start)) }
      if (start < 0) return
    }
    const skipped = endOfAside(markup, start)
    if (skipped !== null) {
      if (markup.startsWith('<![CDATA[', start)) yield { kind: 'text', text: markup.slice(start + 9, skipped - 3) }
      at = skipped
      continue
    }
    NAME.lastIndex = start + 1
    const name = NAME.exec(markup)?.[0]
    if (name === undefined) {
      yield { kind: 'text', text: '<' }
      at = start + 1
      continue
    }
    const from = start + 1 + name.length
    const end = endOfTag(markup, from)
    if (end < 0) return
    const attributes = markup.slice(from, end)
    const isClose = name.startsWith('/')
    const tag = name.slice(Math.max(name.indexOf(':'), isClose ? 0 : -1) + 1).toLowerCase()
    yield { kind: isClose ? 'close' : 'open', tag, attributes, isEmpty: attributes.trimEnd().endsWith('/') }
    at = end + 1
  }
}

/** Where a comment, a section of text, a declaration or an instruction ends; null when none starts here. */
function endOfAside(markup: string, start: number): number | null {
  const [open, close] = ASIDES.find(([opening]) => markup.startsWith(opening, start)) ?? [null, '']
  if (open === null) return null
  const end = markup.indexOf(close, start + open.length)
  return end < 0 ? markup.length : end + close.length
}

const ASIDES = [
  ['<!--', '-->'],
  ['<![CDATA[', ']]>'],
  ['<!', '>'],
  ['<?', '>'],
] as const

/** The `>` that ends a tag, not one within quotes; -1 when there is none. */
function endOfTag(markup: string, from: number): number {
  for (let at = from; at < markup.length; at++) {
    const letter = markup[at]
    if (letter === '>') return at
    if (letter !== '"' && letter !== "'") continue
    const close = markup.indexOf(letter, at + 1)
    if (close < 0) return -1
    at = close
  }
  return -1
}

/** The value of an attribute, by its name without prefix; null when it is not there. */
export function attributeOf(attributes: string, name: string): string | null {
  const match = new RegExp(`(?:^|[\\s:])${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)')`, 'i').exec(attributes)
  const value = match?.[1] ?? match?.[2]
  return value === undefined ? null : decodeEntities(value)
}

const NAMED: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
  ndash: '–',
  mdash: '—',
  hellip: '…',
  lsquo: '‘',
  rsquo: '’',
  ldquo: '“',
  rdquo: '”',
  bull: '•',
  copy: '©',
  reg: '®',
  euro: '€',
  shy: '',
}

function decodeEntities(text: string): string {
  if (!text.includes('&')) return text
  return text.replaceAll(/&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|([a-z]{2,8}));/gi, (whole, hex, decimal, name) => {
    if (name !== undefined) return NAMED[String(name).toLowerCase()] ?? whole
    const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16)
    return code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff) ? String.fromCodePoint(code) : '\ufffd'
  })
}
