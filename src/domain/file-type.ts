/** What an app may ask for by kind; `custom` is every other extension. */
export type FileKind = 'image' | 'document' | 'audio' | 'video' | 'custom'

type Known = { readonly kind: FileKind; readonly mimeType: string }

const OFFICE = 'application/vnd.openxmlformats-officedocument'
const TYPES: Readonly<Record<Exclude<FileKind, 'custom'>, Readonly<Record<string, string>>>> = {
  image: {
    jpg: 'image/jpeg',
    jpeg: 'image/jpeg',
    png: 'image/png',
    webp: 'image/webp',
    gif: 'image/gif',
    svg: 'image/svg+xml',
  },
  audio: {
    mp3: 'audio/mpeg',
    mpga: 'audio/mpeg',
    m4a: 'audio/mp4',
    wav: 'audio/wav',
    amr: 'audio/amr',
    ogg: 'audio/ogg',
    flac: 'audio/flac',
  },
  video: { mp4: 'video/mp4', mov: 'video/quicktime', mpeg: 'video/mpeg', webm: 'video/webm' },
  document: {
    txt: 'text/plain',
    md: 'text/markdown',
    markdown: 'text/markdown',
    mdx: 'text/markdown',
    pdf: 'application/pdf',
    html: 'text/html',
    htm: 'text/html',
    xlsx: `${OFFICE}.spreadsheetml.sheet`,
    xls: 'application/vnd.ms-excel',
    docx: `${OFFICE}.wordprocessingml.document`,
    doc: 'application/msword',
    pptx: `${OFFICE}.presentationml.presentation`,
    ppt: 'application/vnd.ms-powerpoint',
    odt: 'application/vnd.oasis.opendocument.text',
    ods: 'application/vnd.oasis.opendocument.spreadsheet',
    odp: 'application/vnd.oasis.opendocument.presentation',
    csv: 'text/csv',
    tsv: 'text/tab-separated-values',
    json: 'application/json',
    jsonl: 'application/jsonl',
    yaml: 'application/yaml',
    yml: 'application/yaml',
    xml: 'application/xml',
    properties: 'text/plain',
    log: 'text/plain',
    vtt: 'text/vtt',
    srt: 'text/plain',
    eml: 'message/rfc822',
    msg: 'application/vnd.ms-outlook',
    epub: 'application/epub+zip',
  },
}

const KNOWN: ReadonlyMap<string, Known> = new Map(
  Object.entries(TYPES).flatMap(([kind, types]) =>
    // Object.entries forgets that the keys are kinds.
    Object.entries(types).map(([extension, mimeType]) => [extension, { kind: kind as FileKind, mimeType }] as const),
  ),
)

/** Extensions that are taken unless an operator says otherwise. */
export const USUAL_EXTENSIONS: readonly string[] = [...KNOWN.keys()]

/** The kind that an extension stands for. */
export function kindOfExtension(extension: string): FileKind {
  return KNOWN.get(extension)?.kind ?? 'custom'
}

/** The media type that an extension stands for; what callers call it is not asked. */
export function mimeTypeOf(extension: string): string {
  return KNOWN.get(extension)?.mimeType ?? 'application/octet-stream'
}

/** Bytes at the start of a file that `contradicts` looks at. */
export const HEAD_BYTES = 512

const ISO_MEDIA = 'mp4 m4a mov'
const ZIP = 'docx xlsx pptx odt ods odp epub zip'
const COMPOUND = 'doc xls ppt msg'
/** Signatures by the extensions that may carry them; `at` is where they stand. */
const SIGNATURES: readonly { readonly hex: string; readonly at: number; readonly of: readonly string[] }[] = [
  sign('89504e470d0a1a0a', 'png'),
  sign('ffd8ff', 'jpg jpeg'),
  sign('474946383761', 'gif'),
  sign('474946383961', 'gif'),
  sign('57454250', 'webp', 8),
  sign('255044462d', 'pdf'),
  sign('504b0304', ZIP),
  sign('504b0506', ZIP),
  sign('d0cf11e0a1b11ae1', COMPOUND),
  sign('494433', 'mp3 mpga'),
  sign('fffb', 'mp3 mpga'),
  sign('fff3', 'mp3 mpga'),
  sign('fff2', 'mp3 mpga'),
  sign('57415645', 'wav', 8),
  sign('4f676753', 'ogg'),
  sign('664c6143', 'flac'),
  sign('2321414d52', 'amr'),
  sign('66747970', ISO_MEDIA, 4),
  sign('6d6f6f76', 'mov', 4),
  sign('6d646174', 'mov', 4),
  sign('1a45dfa3', 'webm'),
  sign('000001ba', 'mpeg'),
  sign('000001b3', 'mpeg'),
  sign('4d5a', 'exe dll'),
  sign('7f454c46', 'elf'),
  sign('cafebabe', 'class'),
  sign('1f8b', 'gz tgz'),
]

/** Extensions whose files always start with one of their signatures. */
const SIGNED = new Set(SIGNATURES.flatMap(({ of }) => of))

function sign(hex: string, of: string, at = 0) {
  return { hex, at, of: of.split(' ') }
}

/**
 * Whether the first bytes cannot belong to a file with this extension: another type's signature, none where there has to
 * be one, or bytes that no text has. Only unknown extensions may hold anything.
 */
export function contradicts(extension: string, head: Uint8Array): boolean {
  const found = SIGNATURES.filter(({ hex, at }) => hexOf(head.subarray(at, at + hex.length / 2)) === hex)
  if (SIGNED.has(extension)) return !found.some(({ of }) => of.includes(extension))
  if (!KNOWN.has(extension)) return false
  // What is known and has no signature is text of some kind. UTF-16 has zeros, but says so first.
  return !isWideText(head) && (head.includes(0) || found.some(({ hex }) => hex.length > 4))
}

function isWideText(head: Uint8Array): boolean {
  return ['fffe', 'feff'].includes(hexOf(head.subarray(0, 2)))
}

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
