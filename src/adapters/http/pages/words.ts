import type { Scope } from '#domain/scope.ts'
import { type Catalogue, english, type TextKey } from './text-en.ts'
import { simplifiedChinese } from './text-zh-hans.ts'

const SECOND_MS = 1000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/** What the pages say to one visitor. */
export type Words = {
  /** BCP 47, for `lang`. */
  readonly lang: Language
  readonly dir: 'ltr' | 'rtl'
  readonly texts: Catalogue
  /** The text, with each `{name}` filled in. */
  say(key: TextKey, values?: Readonly<Record<string, string>>): string
  /** How long ago something happened. */
  ago(sinceMs: number, nowMs: number): string
  /** How long to wait, rounded up: an early retry would be refused again. */
  wait(ms: number): string
  /** An instant for people, in UTC since nobody told us their zone. */
  instant(atMs: number): string
  /** A country by its ISO 3166-1 code. */
  country(code: string): string
}

export const LANGUAGES = ['en', 'zh-Hans'] as const

export type Language = (typeof LANGUAGES)[number]

const words: Readonly<Record<Language, Words>> = {
  en: createWords('en', 'en-GB', 'ltr', english),
  'zh-Hans': createWords('zh-Hans', 'zh-CN', 'ltr', simplifiedChinese),
}

/** The words of a language. */
export function wordsIn(language: Language): Words {
  return words[language]
}

/** `locale` is how the language writes dates; `lang` is what a page says it is written in. */
function createWords(lang: Language, locale: string, dir: Words['dir'], texts: Catalogue): Words {
  const instants = new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' })
  const ages = new Intl.RelativeTimeFormat(locale)
  const countries = new Intl.DisplayNames(locale, { type: 'region', fallback: 'none' })
  const waits = (unit: Unit) => new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'long' })
  return {
    lang,
    dir,
    texts,
    say: (key, values = {}) => texts[key].replaceAll(/\{(\w+)\}/g, (_placeholder, name) => values[name] ?? ''),
    ago(sinceMs, nowMs) {
      const ageMs = Math.max(0, nowMs - sinceMs)
      if (ageMs < MINUTE_MS) return texts['time.justNow']
      const [unitMs, unit] = unitOf(ageMs)
      return ages.format(-Math.floor(ageMs / unitMs), unit)
    },
    wait(ms) {
      const [unitMs, unit] = unitOf(ms)
      return waits(unit).format(Math.ceil(ms / unitMs))
    },
    instant: (atMs) => `${instants.format(atMs)} UTC`,
    country: (code) => (/^[A-Z]{2}$/.test(code) ? countries.of(code) : undefined) ?? code,
  }
}

type Unit = 'second' | 'minute' | 'hour' | 'day'

function unitOf(ms: number): readonly [number, Unit] {
  if (ms < MINUTE_MS) return [SECOND_MS, 'second']
  if (ms < HOUR_MS) return [MINUTE_MS, 'minute']
  return ms < DAY_MS ? [HOUR_MS, 'hour'] : [DAY_MS, 'day']
}

const PERMISSIONS: { readonly [S in Scope]: readonly TextKey[] } = {
  full: ['may.account', 'may.full'],
  'apps:read': ['may.read'],
  'apps:run': ['may.run'],
  'apps:read:permitted': ['may.permitted'],
}

/** What a token with `scopes` may do, a sentence each. */
export function permissionsIn({ say }: Words, scopes: readonly Scope[]): readonly { readonly sentence: string }[] {
  return scopes.flatMap((scope) => PERMISSIONS[scope]).map((key) => ({ sentence: say(key) }))
}
