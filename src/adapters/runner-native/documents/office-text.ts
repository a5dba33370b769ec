import { DocumentFault } from './document-fault.ts'
import { tidy } from './html-text.ts'
import { attributeOf, pieces } from './markup.ts'
import { tableText } from './table-text.ts'
import { zipParts } from './zip-parts.ts'

/** Text of a Word file (ECMA-376): paragraphs by line, tables as Markdown. */
export function docxText(bytes: Uint8Array): string {
  const parts = zipParts(bytes, (path) => path === 'word/document.xml')
  return flowText(part(parts, 'word/document.xml'), { paragraph: 'p', text: 't', table: 'tbl', row: 'tr', cell: 'tc' })
}

/** Text of an OpenDocument file (ISO 26300). */
export function odfText(bytes: Uint8Array): string {
  const parts = zipParts(bytes, (path) => path === 'content.xml' || path === 'META-INF/manifest.xml')
  if (/encryption-data/.test(parts.get('META-INF/manifest.xml') ?? '')) throw new DocumentFault('is encrypted')
  const names = { paragraph: 'p', text: null, table: 'table', row: 'table-row', cell: 'table-cell' }
  return flowText(part(parts, 'content.xml'), names)
}

/** Text of a PowerPoint file: a paragraph a line, slides in their order. */
export function pptxText(bytes: Uint8Array): string {
  const slide = /^ppt\/slides\/slide(\d+)\.xml$/
  const parts = zipParts(bytes, (path) => slide.test(path))
  const numbered = [...parts].map(([path, xml]) => ({ at: Number(slide.exec(path)?.[1] ?? 0), xml }))
  const names = { paragraph: 'p', text: 't', table: 'tbl', row: 'tr', cell: 'tc' }
  return numbered
    .toSorted((a, b) => a.at - b.at)
    .map(({ xml }) => flowText(xml, names))
    .join('\n\n')
}

type Names = {
  readonly paragraph: string
  /** The only element whose text counts; null when all text does. */
  readonly text: string | null
  readonly table: string
  readonly row: string
  readonly cell: string
}

/** One pass over flowing text; a table within a table is read as text of its cell. */
function flowText(xml: string, names: Names): string {
  let text = ''
  let depth = 0
  let isText = names.text === null
  let rows: string[][] = []
  const cellOf = () => rows.at(-1)
  const say = (said: string) => {
    const cells = cellOf()
    if (depth > 0 && cells !== undefined && cells.length > 0) cells[cells.length - 1] += said
    else text += said
  }
  for (const piece of pieces(xml)) {
    if (piece.kind === 'text') {
      if (isText) say(piece.text)
    } else if (piece.tag === names.table) {
      depth += piece.kind === 'open' ? 1 : -1
      if (depth === 0) {
        text += `\n${tableText(rows)}\n\n`
        rows = []
      }
    } else if (piece.tag === names.row && piece.kind === 'open' && depth === 1) rows.push([])
    else if (piece.tag === names.cell && piece.kind === 'open' && depth === 1) cellOf()?.push('')
    else if (piece.tag === names.text) isText = piece.kind === 'open' && !piece.isEmpty
    else if (piece.tag === 'tab') say('\t')
    else if (piece.tag === 'br' || piece.tag === 'line-break') say('\n')
    else if ((piece.tag === names.paragraph || piece.tag === 'h') && (piece.kind === 'close' || piece.isEmpty))
      say('\n')
  }
  return tidy(text)
}

const MAX_COLUMNS = 16_384

/** Sheets of an Excel file as tables of Markdown, each under its name. */
export function xlsxText(bytes: Uint8Array): string {
  const parts = zipParts(bytes, (path) =>
    /^xl\/(workbook\.xml|sharedStrings\.xml|_rels\/workbook\.xml\.rels|worksheets\/[^/]+\.xml)$/.test(path),
  )
  const targets = new Map<string, string>()
  for (const piece of pieces(parts.get('xl/_rels/workbook.xml.rels') ?? '')) {
    if (piece.kind !== 'open' || piece.tag !== 'relationship') continue
    const target = attributeOf(piece.attributes, 'Target') ?? ''
    targets.set(attributeOf(piece.attributes, 'Id') ?? '', target.replace(/^\/?(xl\/)?/, 'xl/'))
  }
  const shared = sharedTexts(parts.get('xl/sharedStrings.xml') ?? '')
  const tables: string[] = []
  for (const piece of pieces(part(parts, 'xl/workbook.xml'))) {
    if (piece.kind !== 'open' || piece.tag !== 'sheet') continue
    const xml = parts.get(targets.get(attributeOf(piece.attributes, 'id') ?? '') ?? '')
    const rows = xml === undefined ? [] : sheetRows(xml, shared)
    if (rows.length > 0) tables.push(`## ${attributeOf(piece.attributes, 'name') ?? ''}\n\n${tableText(rows)}`)
  }
  return tables.join('\n\n')
}

function sharedTexts(xml: string): readonly string[] {
  const texts: string[] = []
  let isText = false
  for (const piece of pieces(xml)) {
    if (piece.kind === 'text') {
      if (isText) texts[texts.length - 1] += piece.text
    } else if (piece.tag === 'si' && piece.kind === 'open') texts.push('')
    else if (piece.tag === 't') isText = piece.kind === 'open' && !piece.isEmpty
  }
  return texts
}

function sheetRows(xml: string, shared: readonly string[]): readonly (readonly string[])[] {
  const rows: string[][] = []
  let column = 0
  let type = ''
  let value = ''
  let isValue = false
  for (const piece of pieces(xml)) {
    if (piece.kind === 'text') {
      if (isValue) value += piece.text
    } else if (piece.tag === 'row' && piece.kind === 'open') {
      rows.push([])
      column = 0
    } else if (piece.tag === 'c' && piece.kind === 'open') {
      column = columnOf(attributeOf(piece.attributes, 'r')) ?? column
      type = attributeOf(piece.attributes, 't') ?? ''
      value = ''
      if (piece.isEmpty) column++
    } else if (piece.tag === 'c') {
      const row = rows.at(-1)
      const said = type === 's' ? (shared[Number(value)] ?? '') : value
      if (row !== undefined && column < MAX_COLUMNS && said !== '') {
        while (row.length < column) row.push('')
        row[column] = said
      }
      column++
    } else if (piece.tag === 'v' || piece.tag === 't') isValue = piece.kind === 'open' && !piece.isEmpty
  }
  return rows.filter((row) => row.length > 0)
}

/** `BC7` stands in column 54, counted from 0. */
function columnOf(reference: string | null): number | null {
  const letters = /^([A-Z]{1,3})\d+$/.exec(reference ?? '')?.[1]
  if (letters === undefined) return null
  return [...letters].reduce((sum, letter) => sum * 26 + letter.charCodeAt(0) - 64, 0) - 1
}

function part(parts: ReadonlyMap<string, string>, path: string): string {
  const xml = parts.get(path)
  if (xml === undefined) throw new DocumentFault('is broken, or of another kind than its name says')
  return xml
}
