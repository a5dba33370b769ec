import type { Json, JsonObject } from './app.ts'
import { extensionOf } from './file-name.ts'
import { isObject, textAt } from './json.ts'
import type { FileRef } from './run.ts'
import { kindOf, type UploadedFile } from './uploaded-file.ts'

/** The caller's own uploads that a request names, by id. */
export type OwnFiles = ReadonlyMap<string, UploadedFile>

/** Which files one field takes. Empty lists take any. */
export type FileRule = {
  readonly kinds: readonly string[]
  /** For the kind `custom`; in lower case, without dots. */
  readonly extensions: readonly string[]
  readonly methods: readonly string[]
}

/** The file, or what is wrong with it: `msg` is said of `field`. */
export type CheckedFile =
  | { readonly file: FileRef }
  | { readonly fault: { readonly type: string; readonly field: string; readonly msg: string } }

const METHODS = ['remote_url', 'local_file']
const HTTP_URL = /^https?:\/\/[^\s/]/i

/** Reads what a caller hands over as a file: an address, or the id of an upload, which has to be the caller's own. */
export function checkGivenFile(given: JsonObject, rule: FileRule, own: OwnFiles): CheckedFile {
  const method = textAt(given, 'transfer_method')
  const allowed = METHODS.filter((one) => rule.methods.length === 0 || rule.methods.includes(one))
  if (!allowed.includes(method)) {
    const wanted = allowed.join(' or ') || 'that this app allows'
    return refused('transfer_method', 'file_transfer_method', `must be a file with transfer_method ${wanted}`)
  }
  return method === 'local_file' ? checkUploaded(given, rule, own) : checkRemote(given, rule)
}

function checkRemote(given: JsonObject, rule: FileRule): CheckedFile {
  const url = textAt(given, 'url') || textAt(given, 'remote_url')
  if (!HTTP_URL.test(url) || !URL.canParse(url)) return refused('url', 'file_url', 'must have an http or https url')
  const type = textAt(given, 'type') || 'custom'
  if (!takes(rule, type, extensionOf(nameIn(url)))) return wrongKind(rule)
  return { file: { type, transferMethod: 'remote_url', url, name: textAt(given, 'name') || null } }
}

function checkUploaded(given: JsonObject, rule: FileRule, own: OwnFiles): CheckedFile {
  const id = textAt(given, 'upload_file_id') || textAt(given, 'related_id')
  const stored = own.get(id.toLowerCase())
  // The same for what was never there and for what is somebody else's, or another app's.
  if (stored === undefined) return refused('upload_file_id', 'file_unknown', 'must name a file that was uploaded here')
  const kind = kindOf(stored)
  const type = textAt(given, 'type') || kind
  if (type !== kind && type !== 'custom') return refused('type', 'file_kind', `must be ${kind} for this file`)
  if (!takes(rule, type, stored.extension)) return wrongKind(rule)
  const { name, extension, mimeType, size } = stored
  const facts = { extension, mimeType, size }
  return { file: { type, transferMethod: 'local_file', uploadFileId: stored.id, name, facts } }
}

function takes({ kinds, extensions }: FileRule, type: string, extension: string): boolean {
  if (kinds.length === 0) return true
  if (type !== 'custom' && kinds.includes(type)) return true
  return kinds.includes('custom') && (extensions.length === 0 || extensions.includes(extension))
}

function wrongKind({ kinds, extensions }: FileRule): CheckedFile {
  const others = kinds.filter((kind) => kind !== 'custom' || extensions.length === 0)
  const wanted = [...others, ...(kinds.includes('custom') ? extensions.map((one) => `.${one}`) : [])]
  return refused('type', 'file_kind', `must be a file of type: ${wanted.join(', ')}`)
}

function refused(field: string, type: string, msg: string): CheckedFile {
  return { fault: { type, field, msg } }
}

/** The ids of uploads that a value names, however deep; whether anybody may use them is asked later. */
export function uploadIdsIn(value: Json): readonly string[] {
  const ids = new Set<string>()
  const open: Json[] = [value]
  for (let one = open.pop(); one !== undefined; one = open.pop()) {
    if (one === null || typeof one !== 'object') continue
    if (isObject(one) && textAt(one, 'transfer_method') === 'local_file') {
      ids.add((textAt(one, 'upload_file_id') || textAt(one, 'related_id')).toLowerCase())
    } else open.push(...Object.values(one))
  }
  return [...ids].filter((id) => id !== '')
}

/** A file as graph variables see it. `url` of an upload is for the runner to fill in: such links do not last. */
export function fileVariable(file: FileRef): JsonObject {
  if (file.transferMethod === 'remote_url') return remoteFile(file.type, file.url, file.name)
  const { extension = '', mimeType = null, size = null } = file.facts ?? {}
  return {
    type: file.type,
    transfer_method: file.transferMethod,
    url: null,
    remote_url: null,
    related_id: file.uploadFileId,
    name: file.name,
    extension: extension === '' ? '' : `.${extension}`,
    mime_type: mimeType,
    size,
  }
}

/** A file elsewhere, as graph variables see it. */
export function remoteFile(type: string, url: string, name: string | null): JsonObject {
  const called = name ?? nameIn(url)
  const dot = called.lastIndexOf('.')
  return {
    type,
    transfer_method: 'remote_url',
    url,
    remote_url: url,
    related_id: null,
    name: called,
    extension: dot > 0 ? called.slice(dot).toLowerCase() : '',
    mime_type: null,
    size: null,
  }
}

function nameIn(url: string): string {
  const path = url.replace(/[?#].*$/s, '')
  return path.slice(path.lastIndexOf('/') + 1) || 'file'
}
