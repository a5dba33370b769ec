import { posix } from 'node:path'
import { DocumentFault } from './document-fault.ts'
import { htmlText } from './html-text.ts'
import { attributeOf, pieces } from './markup.ts'
import { zipParts } from './zip-parts.ts'

const CONTAINER = 'META-INF/container.xml'

/** Text of a book (EPUB 3 §4): its chapters in the order of the spine. */
export function epubText(bytes: Uint8Array): string {
  const parts = zipParts(bytes, (path) => path === CONTAINER || /\.(opf|x?html?)$/i.test(path))
  const root = attributes(parts.get(CONTAINER) ?? '', 'rootfile')
    .map((one) => attributeOf(one, 'full-path'))
    .find((path) => path !== null)
  const opf = root === undefined || root === null ? undefined : parts.get(root)
  if (root === undefined || root === null || opf === undefined) throw new DocumentFault('names no contents')
  const items = new Map(attributes(opf, 'item').map((one) => [attributeOf(one, 'id'), attributeOf(one, 'href')]))
  const chapters = attributes(opf, 'itemref').flatMap((one) => {
    const href = items.get(attributeOf(one, 'idref')) ?? null
    const html = href === null ? undefined : parts.get(posix.join(posix.dirname(root), decodeURIComponent(href)))
    return html === undefined ? [] : [htmlText(html)]
  })
  return chapters.join('\n\n')
}

function attributes(xml: string, tag: string): readonly string[] {
  return [...pieces(xml)].flatMap((piece) => (piece.kind === 'open' && piece.tag === tag ? [piece.attributes] : []))
}
