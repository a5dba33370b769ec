const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' }
const UNSEEN = ['script', 'style', 'noscript', 'template', 'svg', 'head']
const BREAK = /^<\/?(p|div|br|li|ul|ol|tr|table|h[1-6]|section|article|header|footer|main|blockquote|pre|hr)\b/i

/** What a reader sees of a page, a block a line. One pass over the text: a hostile page costs no more than a long one. */
export function pageText(html: string): string {
  const title = /<title[^>]{0,200}>([^<]{0,1000})/i.exec(html)?.[1]?.trim() ?? ''
  const lower = html.toLowerCase()
  let text = ''
  let at = 0
  while (at < html.length) {
    const open = html.indexOf('<', at)
    if (open < 0) {
      text += html.slice(at)
      break
    }
    text += html.slice(at, open)
    if (html.startsWith('<!--', open)) {
      at = after(html, '-->', open)
      continue
    }
    const end = after(html, '>', open)
    const name = /^<([a-z]+)/.exec(lower.slice(open, open + 20))?.[1]
    const isUnseen = name !== undefined && UNSEEN.includes(name) && !html.startsWith('/>', end - 2)
    at = isUnseen ? after(lower, '>', after(lower, `</${name}`, end)) : end
    if (BREAK.test(html.slice(open, open + 20))) text += '\n'
  }
  const lines = readable(text)
    .split('\n')
    .map((line) => line.replaceAll(/\s+/g, ' ').trim())
    .filter((line) => line !== '')
  return [...(title === '' ? [] : [readable(title)]), ...lines].join('\n')
}

function after(text: string, mark: string, from: number): number {
  const at = text.indexOf(mark, from)
  return at < 0 ? text.length : at + mark.length
}

function readable(text: string): string {
  return text.replaceAll(/&(#x?[0-9a-f]{1,6}|[a-z]{2,6});/gi, (whole, name: string) => {
    if (!name.startsWith('#')) return ENTITIES[name.toLowerCase()] ?? whole
    const code = /^#x/i.test(name) ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1))
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole
  })
}
