import { cleanFileName, extensionOf } from './file-name.ts'
import { type FileKind, kindOfExtension, mimeTypeOf } from './file-type.ts'
import type { UploadQuota } from './upload-quota.ts'

/** A file that a caller handed to an app, without its bytes. */
export type UploadedFile = {
  readonly id: string
  readonly workspaceId: string
  readonly appId: string
  /** Whoever uploaded it; nobody else can use it. */
  readonly owner: { readonly kind: 'account' | 'end_user'; readonly id: string }
  /** For people; never a path of ours. */
  readonly name: string
  /** In lower case, without a dot; "" when there is none. */
  readonly extension: string
  readonly mimeType: string
  /** Bytes. */
  readonly size: number
  readonly createdAtMs: number
}

/** What an operator allows to be uploaded. */
export type UploadRules = {
  /** Lower case; null takes every one. */
  readonly extensions: readonly string[] | null
  /** By kind; what is neither picture, sound nor film counts as a document. */
  readonly maxBytes: {
    readonly document: number
    readonly image: number
    readonly audio: number
    readonly video: number
  }
  /** Files that one run may be given. */
  readonly perRun: number
  readonly quota: UploadQuota
}

const MIB = 1024 * 1024

/** The limits that clients expect unless they are told others. */
export const USUAL_MAX_BYTES: UploadRules['maxBytes'] = {
  document: 15 * MIB,
  image: 10 * MIB,
  audio: 50 * MIB,
  video: 100 * MIB,
}

/** Files that one run may be given, unless an operator says otherwise. */
export const USUAL_FILES_PER_RUN = 10

/** What is known of a file by its name alone, or that such a file is not taken. */
export type Announced =
  | {
      readonly ok: true
      readonly name: string
      readonly extension: string
      readonly mimeType: string
      readonly maxBytes: number
    }
  | { readonly ok: false; readonly extension: string }

/** Reads the name that a caller gave a file. */
export function announce(givenName: string, rules: UploadRules): Announced {
  const name = cleanFileName(givenName)
  const extension = extensionOf(name)
  if (rules.extensions !== null && !rules.extensions.includes(extension)) return { ok: false, extension }
  return { ok: true, name, extension, mimeType: mimeTypeOf(extension), maxBytes: maxBytesOf(extension, rules) }
}

function maxBytesOf(extension: string, { maxBytes }: UploadRules): number {
  const kind = kindOfExtension(extension)
  return maxBytes[kind === 'custom' ? 'document' : kind]
}

/** The kind of a file, by its extension. */
export function kindOf({ extension }: Pick<UploadedFile, 'extension'>): FileKind {
  return kindOfExtension(extension)
}
