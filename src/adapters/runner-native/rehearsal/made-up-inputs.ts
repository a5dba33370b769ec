import type { Json, JsonObject } from '#domain/app.ts'
import type { FormControl } from '#domain/input-form.ts'
import { listAt, objectAt, textsAt } from '#domain/json.ts'
import type { FileRef } from '#domain/run.ts'
import type { Script } from './script.ts'

/** What a name of a field says about what it wants. */
export const BY_NAME: readonly (readonly [name: RegExp, value: string])[] = [
  [/url|link|website|webhook|endpoint|host|domain|网址|链接/i, 'https://example.com/a.txt'],
  [/e-?mail|邮箱/i, 'ada@example.com'],
  [/date|日期/i, '2026-01-31'],
  [/time|时间/i, '2026-01-31 08:00:00'],
  [/json/i, '{}'],
  [/count|number|num$|amount|limit|size|age$|year|数量|次数|年龄/i, '3'],
]

/** A value for every field of a form. */
export function madeUpInputs(form: readonly FormControl[], script: Script, readsDocuments: boolean): JsonObject {
  return Object.fromEntries(form.map((control) => [control.variable, madeUp(control, script, readsDocuments)]))
}

function madeUp(control: FormControl, script: Script, readsDocuments: boolean): Json {
  switch (control.control) {
    case 'select':
      return typeof control.default === 'string' && control.options.includes(control.default)
        ? control.default
        : (control.options[0] ?? null)
    case 'number':
      return typeof control.default === 'number' ? control.default : 3
    case 'checkbox':
      return true
    case 'json_object':
      return typeof control.default === 'object' && control.default !== null ? control.default : {}
    case 'file':
      return fileFor(control.fileTypes, readsDocuments)
    case 'file-list':
      return [fileFor(control.fileTypes, readsDocuments)]
    case 'text-input':
    case 'paragraph':
      return textFor(control, script)
  }
}

function textFor({ variable, label, maxLength, default: fallback }: FormControl, { name, words }: Script): string {
  const hinted = BY_NAME.find(([pattern]) => pattern.test(variable) || pattern.test(label))?.[1]
  // A script that is about what users write says it everywhere.
  const isPlain = ['prose', 'json', 'everything', 'list'].includes(name)
  const text = isPlain ? (typeof fallback === 'string' && fallback !== '' ? fallback : (hinted ?? words)) : words
  return maxLength === null ? text : [...text].slice(0, maxLength).join('')
}

function fileFor(types: readonly string[], readsDocuments: boolean): JsonObject {
  const wanted = readsDocuments && types.includes('document') ? 'document' : undefined
  const type = wanted ?? types.find((one) => one in SAMPLES) ?? types[0] ?? 'document'
  return { type, transfer_method: 'remote_url', url: SAMPLES[type] ?? 'https://files.example/sample.txt' }
}

const SAMPLES: Readonly<Record<string, string>> = {
  document: 'https://files.example/sample.txt',
  image: 'https://files.example/sample.png',
  audio: 'https://files.example/sample.mp3',
  video: 'https://files.example/sample.mp4',
}

/** The files that come with a message, where the app takes any. */
export function madeUpFiles(features: JsonObject, script: Script, readsDocuments: boolean): readonly FileRef[] {
  const settings = objectAt(features, 'file_upload')
  const isOn = settings.enabled === true || objectAt(settings, 'image').enabled === true
  if (!isOn) return []
  const types = listAt(settings, 'allowed_file_types').length > 0 ? textsAt(settings, 'allowed_file_types') : ['image']
  const known = types.filter((one) => Object.hasOwn(SAMPLES, one))
  const [first = 'document'] = readsDocuments && known.includes('document') ? ['document'] : known
  // Apps that sort files by kind want some of each; most want one.
  const chosen = script.name === 'everything' ? known : script.name === 'list' ? [] : [first]
  return chosen.map((type) => ({ type, transferMethod: 'remote_url', url: SAMPLES[type] ?? '', name: null }))
}
