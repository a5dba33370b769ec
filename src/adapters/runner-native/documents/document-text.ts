import { DocumentFault } from './document-fault.ts'
import type { DocumentKind } from './document-kind.ts'
import { epubText } from './epub-text.ts'
import { htmlText } from './html-text.ts'
import { mailText } from './mail-text.ts'
import { docxText, odfText, pptxText, xlsxText } from './office-text.ts'
import { pdfText } from './pdf-text.ts'

/** Kinds that take a parser; plain text is only decoded. */
export type ParsedKind = Exclude<DocumentKind, 'text'>

export type DocumentTask = { readonly kind: ParsedKind; readonly bytes: Uint8Array }
export type DocumentVerdict =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly message: string }

const READERS: Readonly<Record<ParsedKind, (bytes: Uint8Array) => string | Promise<string>>> = {
  html: (bytes) => htmlText(new TextDecoder().decode(bytes)),
  pdf: pdfText,
  docx: docxText,
  xlsx: xlsxText,
  pptx: pptxText,
  odf: odfText,
  epub: epubText,
  eml: mailText,
}

/** Reads one document. A parser that fails on hostile bytes is a document that cannot be read, whatever it threw. */
export async function readDocument({ kind, bytes }: DocumentTask): Promise<DocumentVerdict> {
  try {
    return { ok: true, text: (await READERS[kind](bytes)).toWellFormed() }
  } catch (error) {
    return { ok: false, message: error instanceof DocumentFault ? error.message : 'is broken and cannot be read' }
  }
}
