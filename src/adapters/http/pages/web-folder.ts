import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Asset, assetOf } from './asset.ts'
import { compileTemplate, type Template } from './template.ts'
import type { Catalogue } from './text-en.ts'
import { LANGUAGES, type Language, wordsIn } from './words.ts'

const VIEWS = ['install', 'signin', 'device', 'chooser', 'authorize', 'sso', 'decided', 'problem', 'sessions'] as const
const ASSETS = {
  'device.css': 'text/css; charset=utf-8',
  'device.js': 'text/javascript; charset=utf-8',
  'icon.svg': 'image/svg+xml',
} as const

/** A page's file, without its ending. */
export type ViewName = (typeof VIEWS)[number]

/** All that `web/` holds. */
export type WebFolder = {
  readonly views: Readonly<Record<Language, Readonly<Record<ViewName, Template>>>>
  readonly assets: readonly Asset[]
}

/**
 * Reads `web/` once. Only the names above are ever read, so no request path reaches the file system.
 * @throws Error when a file is missing, or names a text that no catalogue has
 */
export function readWebFolder(): WebFolder {
  // `dist` mirrors the repository, so this holds in both.
  const folder = join(import.meta.dirname, '../../../../web')
  const layout = readFileSync(join(folder, 'layout.html'), 'utf8')
  const sources = VIEWS.map((name) => {
    const view = readFileSync(join(folder, `${name}.html`), 'utf8')
    return [name, layout.replace('<!-- view -->', () => view)] as const
  })
  const viewsIn = (language: Language) =>
    Object.fromEntries(
      sources.map(([name, source]) => [name, compileTemplate(spoken(source, wordsIn(language).texts))]),
    )
  const views = Object.fromEntries(LANGUAGES.map((language) => [language, viewsIn(language)]))
  const assets = Object.entries(ASSETS).map(([name, type]) => assetOf(name, type, readFileSync(join(folder, name))))
  return { views: views as WebFolder['views'], assets } // one entry for each of VIEWS, in each of LANGUAGES
}

const TEXT = /\{\{([=@~])([\w.]+)\}\}/g

/**
 * Puts the texts in: `{{=key}}` as content, each value set apart from the sentence's direction; `{{@key}}` in an
 * attribute; `{{~key}}` for the script to fill.
 */
function spoken(source: string, texts: Catalogue): string {
  return source.replaceAll(TEXT, (_tag, sigil: string, key: string) => {
    const text = Object.hasOwn(texts, key) ? texts[key as keyof Catalogue] : undefined // asked for on the line before
    if (text === undefined) throw new Error(`template: no text for ${key}`)
    return text
      .replaceAll(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`)
      .replaceAll(/\{(\w+)\}/g, slots[sigil] ?? '')
  })
}

const slots: Readonly<Record<string, string>> = {
  '=': '<bdi>{{$1}}</bdi>',
  '@': '{{$1}}',
  '~': '<bdi data-fill="$1"></bdi>',
}
