import type { Json } from './app.ts'
import type { InputIssue } from './errors.ts'
import { checkGivenFile, fileVariable, type OwnFiles } from './given-file.ts'
import type { FormControl } from './input-form.ts'
import { isList, isObject, jsonIn } from './json.ts'
import { findUnusable } from './usable-input.ts'

/** One field's value, or what was wrong with it. */
export type CheckedValue = { readonly value: Json } | { readonly issue: InputIssue }

const TRUE_WORDS = ['true', '1', 'yes', 'on']
const FALSE_WORDS = ['false', '0', 'no', 'off']
/** Length of a list of files when the form does not say. */
const DEFAULT_MAX_FILES = 5
const NONE: OwnFiles = new Map()

/** The value that a run gets for one control, or what is wrong with the one that was sent. */
export function checkControl(control: FormControl, sent: Json | undefined, own: OwnFiles = NONE): CheckedValue {
  if (sent === undefined || sent === null || sent === '') return absent(control)
  switch (control.control) {
    case 'text-input':
    case 'paragraph':
      return checkText(control, sent)
    case 'select':
      return checkSelect(control, sent)
    case 'number':
      return checkNumber(control, sent)
    case 'checkbox':
      return checkBox(control, sent)
    case 'json_object':
      return checkObject(control, sent)
    case 'file':
      return checkFile(control, sent, own)
    case 'file-list':
      return checkFiles(control, sent, own)
  }
}

function absent(control: FormControl): CheckedValue {
  if (control.required) return refuse(control, 'missing', `${control.variable} is required in input form`)
  const fallback = control.default === '' ? null : control.default
  if (fallback === null) return { value: null }
  // The author's default is as foreign as a caller's value; one that does not fit its own form counts as none.
  const checked = checkControl({ ...control, default: null }, fallback)
  return 'value' in checked ? checked : { value: null }
}

function checkText(control: FormControl, sent: Json): CheckedValue {
  if (typeof sent !== 'string') return refuse(control, 'string_type', says(control, 'must be a string'))
  // PostgreSQL text cannot hold NUL.
  const value = sent.replaceAll('\u0000', '')
  if (value === '') return absent(control)
  if (control.maxLength !== null && [...value].length > control.maxLength) {
    return refuse(control, 'string_too_long', says(control, `must be less than ${control.maxLength} characters`))
  }
  return { value }
}

function checkSelect(control: FormControl, sent: Json): CheckedValue {
  if (typeof sent === 'string' && control.options.includes(sent)) return { value: sent }
  return refuse(control, 'enum', says(control, `must be one of the following: ${control.options.join(', ')}`))
}

function checkNumber(control: FormControl, sent: Json): CheckedValue {
  if (typeof sent === 'string' && sent.trim() === '') return absent(control)
  const value = typeof sent === 'string' ? Number(sent) : sent
  if (typeof value === 'number' && Number.isFinite(value)) return { value }
  return refuse(control, 'number_type', says(control, 'must be a valid number'))
}

function checkBox(control: FormControl, sent: Json): CheckedValue {
  if (typeof sent === 'boolean') return { value: sent }
  const word = typeof sent === 'string' || typeof sent === 'number' ? String(sent).trim().toLowerCase() : ''
  if (TRUE_WORDS.includes(word)) return { value: true }
  if (FALSE_WORDS.includes(word)) return { value: false }
  return refuse(control, 'bool_type', says(control, 'must be a boolean'))
}

function checkObject(control: FormControl, sent: Json): CheckedValue {
  const value = typeof sent === 'string' ? (jsonIn(sent) ?? null) : sent
  // JSON inside a string was one harmless string to whoever checked the request.
  const unusable = typeof sent === 'string' ? findUnusable(value) : null
  if (unusable !== null) return refuse(control, unusable.type, says(control, unusable.msg))
  if (isObject(value)) return { value }
  return refuse(control, 'object_type', says(control, 'must be an object'))
}

function checkFiles(control: FormControl, sent: Json, own: OwnFiles): CheckedValue {
  if (!isList(sent)) return refuse(control, 'list_type', says(control, 'must be a list of files'))
  const most = control.maxLength ?? DEFAULT_MAX_FILES
  if (sent.length > most) return refuse(control, 'too_long', says(control, `must have at most ${most} files`))
  if (sent.length === 0) return absent(control)
  const files: Json[] = []
  for (const file of sent) {
    const checked = checkFile(control, file, own)
    if ('issue' in checked) return checked
    files.push(checked.value)
  }
  return { value: files }
}

function checkFile(control: FormControl, sent: Json, own: OwnFiles): CheckedValue {
  if (!isObject(sent)) return refuse(control, 'file_type', says(control, 'must be a file'))
  const { fileTypes: kinds, fileExtensions: extensions, fileMethods: methods } = control
  const checked = checkGivenFile(sent, { kinds, extensions, methods }, own)
  if ('file' in checked) return { value: fileVariable(checked.file) }
  return refuse(control, checked.fault.type, says(control, checked.fault.msg))
}

function says(control: FormControl, rule: string): string {
  return `${control.variable} in input form ${rule}`
}

function refuse(control: FormControl, type: string, msg: string): CheckedValue {
  return { issue: { type, loc: ['inputs', control.variable], msg } }
}
