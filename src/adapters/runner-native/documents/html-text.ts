import { pieces } from './markup.ts'

const SILENT = new Set(['script', 'style', 'template', 'noscript', 'head', 'svg'])
const BLOCK =
  /^(p|div|section|article|header|footer|main|aside|nav|h[1-6]|ul|ol|li|table|tr|br|hr|pre|blockquote|dl|dt|dd|figure|form|option)$/

/** The text that a reader of a page sees, a line a block. */
export function htmlText(html: string): string {
  let text = ''
  let silentIn: string | null = null
  for (const piece of pieces(html)) {
    if (silentIn !== null) {
      if (piece.kind === 'close' && piece.tag === silentIn) silentIn = null
    } else if (piece.kind === 'text') text += piece.text.replaceAll(/\s+/g, ' ')
    else if (piece.kind === 'open' && SILENT.has(piece.tag) && !piece.isEmpty) silentIn = piece.tag
    else if (BLOCK.test(piece.tag)) text += '\n'
    else if (piece.tag === 'td' || piece.tag === 'th') text += piece.kind === 'open' ? '' : '\t'
  }
  return tidy(text)
}

/** Without blanks around lines, and with one empty line at the most between two. */
export function tidy(text: string): string {
  return text
    .split('\n')
    .map((line) => line.trim())
    .join('\n')
    .replaceAll(/\n{3,}/g, '\n\n')
    .trim()
}
