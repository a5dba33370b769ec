import { extractText, getDocumentProxy } from 'unpdf'
import { DocumentFault } from './document-fault.ts'

const MAX_PAGES = 2_000

/** Text of a PDF, a page after the other. Pictures of text stay pictures. */
export async function pdfText(bytes: Uint8Array): Promise<string> {
  const document = await open(bytes)
  if (document.numPages > MAX_PAGES) throw new DocumentFault(`has more than ${MAX_PAGES} pages`)
  const { text } = await extractText(document, { mergePages: false })
  return text.join('\n\n').trim()
}

async function open(bytes: Uint8Array) {
  try {
    return await getDocumentProxy(bytes, { verbosity: 0 })
  } catch (error) {
    const isLocked = error instanceof Error && error.name === 'PasswordException'
    throw new DocumentFault(isLocked ? 'is encrypted' : 'is no PDF that can be read', { cause: error })
  }
}
