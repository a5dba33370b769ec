import { type Asset, assetOf } from './asset.ts'

/** Whose server this is, as the pages show it. */
export type Brand = {
  readonly name: string
  /** Where the logo is served. */
  readonly logoPath: string
  /** The logo's own file; null is ours. */
  readonly logo: Asset | null
  /** Custom properties that replace the accent; null keeps ours. */
  readonly accentCss: Asset | null
}

/** What an operator chose; null keeps ours. */
export type BrandSettings = {
  readonly name: string | null
  readonly logo: { readonly type: string; readonly bytes: Buffer } | null
  /** `#rrggbb`, legible on the light ground. */
  readonly accent: string | null
}

/** The brand that nobody changed. */
export const OURS: BrandSettings = { name: null, logo: null, accent: null }

/** The pages' looks out of what was chosen. */
export function makeBrand({ name, logo, accent }: BrandSettings): Brand {
  return {
    name: name ?? 'Latchkey',
    logo: logo === null ? null : assetOf('logo', logo.type, logo.bytes),
    logoPath: logo === null ? '/assets/icon.svg' : '/assets/logo',
    accentCss: accent === null ? null : assetOf('brand.css', 'text/css; charset=utf-8', Buffer.from(accentCss(accent))),
  }
}

type Rgb = readonly [number, number, number]

const LIGHT_GROUND: Rgb = [0xf3, 0xf5, 0xf3]
const DARK_SURFACE: Rgb = [0x1a, 0x21, 0x20]
const WHITE: Rgb = [255, 255, 255]
const BLACK: Rgb = [0x0b, 0x12, 0x11]
/** WCAG 2.2 §1.4.3 (AA), with a little more for rounding. */
const MIN_CONTRAST = 4.6

/** Whether links and buttons of this `#rrggbb` can be read on the light ground, and white text on the buttons. */
export function isLegibleAccent(accent: string): boolean {
  return /^#[0-9a-f]{6}$/i.test(accent) && contrast(parse(accent), LIGHT_GROUND) >= MIN_CONTRAST
}

/** One colour serves both themes: in the dark it is lightened until it can be read. */
function accentCss(accent: string): string {
  const light = parse(accent)
  let dark = light
  for (let share = 0; contrast(dark, DARK_SURFACE) < MIN_CONTRAST + 1 && share < 1; share += 0.05) {
    dark = mix(light, WHITE, share)
  }
  const strong = hex(mix(light, BLACK, 0.25))
  const darkStrong = hex(mix(dark, WHITE, 0.3))
  return [
    `:root{--accent:${hex(light)};--on-accent:#ffffff;--accent-strong:${strong}}`,
    `@media(prefers-color-scheme:dark){:root{--accent:${hex(dark)};--on-accent:${hex(BLACK)};--accent-strong:${darkStrong}}}`,
  ].join('\n')
}

/** WCAG 2.2, “contrast ratio”: 1 to 21. */
export function contrast(one: Rgb, other: Rgb): number {
  const [light, dark] = [luminance(one), luminance(other)].toSorted((a, b) => b - a)
  return ((light ?? 0) + 0.05) / ((dark ?? 0) + 0.05)
}

function luminance([red, green, blue]: Rgb): number {
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
}

function linear(channel: number): number {
  const share = channel / 255
  return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
}

function mix([r1, g1, b1]: Rgb, [r2, g2, b2]: Rgb, share: number): Rgb {
  const between = (one: number, other: number) => Math.round(one + (other - one) * share)
  return [between(r1, r2), between(g1, g2), between(b1, b2)]
}

function parse(colour: string): Rgb {
  const at = (start: number) => Number.parseInt(colour.slice(start, start + 2), 16)
  return [at(1), at(3), at(5)]
}

function hex(rgb: Rgb): string {
  return `#${rgb.map((channel) => channel.toString(16).padStart(2, '0')).join('')}`
}
