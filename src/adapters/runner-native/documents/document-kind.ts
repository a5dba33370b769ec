/** What a document is written in, as far as it can be read here. */
export type DocumentKind = 'text' | 'html' | 'pdf' | 'docx' | 'xlsx' | 'pptx' | 'odf' | 'epub' | 'eml'

/** Files that are read as they are; servers often name no better type for them than a stream of bytes. */
const TEXT_NAME =
  /\.(txt|md|mdx|markdown|xml|json|jsonl|ya?ml|toml|ini|properties|csv|tsv|log|srt|vtt|py|js|ts|java|c|h|cpp|go|rs|rb|sh|sql|css)$/i

const BY_NAME: readonly (readonly [RegExp, DocumentKind])[] = [
  [/\.(html?|xhtml)$/i, 'html'],
  [/\.pdf$/i, 'pdf'],
  [/\.docx$/i, 'docx'],
  [/\.xlsx$/i, 'xlsx'],
  [/\.pptx$/i, 'pptx'],
  [/\.od[tsp]$/i, 'odf'],
  [/\.epub$/i, 'epub'],
  [/\.eml$/i, 'eml'],
  [TEXT_NAME, 'text'],
]

const OFFICE = 'application/vnd.openxmlformats-officedocument.'
const BY_TYPE: readonly (readonly [string, DocumentKind])[] = [
  ['text/html', 'html'],
  ['application/xhtml+xml', 'html'],
  ['application/pdf', 'pdf'],
  [`${OFFICE}wordprocessingml.document`, 'docx'],
  [`${OFFICE}spreadsheetml.sheet`, 'xlsx'],
  [`${OFFICE}presentationml.presentation`, 'pptx'],
  ['application/vnd.oasis.opendocument.', 'odf'],
  ['application/epub+zip', 'epub'],
  ['message/rfc822', 'eml'],
]

/**
 * The kind that `name` says, else the one that the media type says; null when neither is known. `isText` is what the
 * type says of plain text.
 */
export function documentKind(name: string, mediaType: string, isText: boolean): DocumentKind | null {
  const named = BY_NAME.find(([pattern]) => pattern.test(name))?.[1]
  if (named !== undefined) return named
  const type = (mediaType.split(';')[0] ?? '').trim().toLowerCase()
  return BY_TYPE.find(([start]) => type.startsWith(start))?.[1] ?? (isText ? 'text' : null)
}
