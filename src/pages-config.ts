import { readFileSync } from 'node:fs'
import { openCountries } from '#adapters/geoip/country-of.ts'
import { type BrandSettings, isLegibleAccent } from '#adapters/http/pages/brand.ts'
import type { CountryOf } from '#application/ports/country-of.ts'
import { isLine, type makeReader } from './config-reader.ts'

/** What an operator chose about the pages. */
export type PagesConfig = { readonly brand: BrandSettings; readonly countryOf: CountryOf | null }

const LOGO_TYPES: Readonly<Record<string, string>> = {
  svg: 'image/svg+xml',
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  webp: 'image/webp',
}
/** Every page shows it, on slow telephones too. */
const MAX_LOGO_BYTES = 64 * 1024

/** Reads what the pages need, files included, so that a wrong one is a start that fails. */
export function readPagesConfig(
  read: ReturnType<typeof makeReader>,
  fault: (name: string, wanted: string) => void,
): PagesConfig {
  const opened = <T>(name: string, wanted: string, open: (path: string) => T | null): T | null => {
    const path = read.text(name)
    if (path === null) return null
    try {
      const found = open(path)
      if (found !== null) return found
    } catch (error) {
      // Whatever is wrong with the file, its path is a value and must not be printed.
      if (!(error instanceof Error)) throw error
      if ('syscall' in error) {
        fault(name, 'the path of a file that is there and can be read')
        return null
      }
    }
    fault(name, wanted)
    return null
  }
  return {
    brand: {
      name: read.named('BRAND_NAME', isLine(40), 'one line of at most 40 characters'),
      logo: opened('BRAND_LOGO_FILE', 'an SVG, PNG, JPEG or WebP file of at most 64 KiB', openLogo),
      accent: read.named('BRAND_ACCENT', isLegibleAccent, 'a colour #rrggbb, dark enough to be read on white (4.6:1)'),
    },
    countryOf: opened('GEOIP_FILE', 'an MMDB file of countries or cities', openCountries),
  }
}

function openLogo(path: string): BrandSettings['logo'] {
  const type = LOGO_TYPES[path.slice(path.lastIndexOf('.') + 1).toLowerCase()]
  const bytes = readFileSync(path)
  return type === undefined || bytes.length === 0 || bytes.length > MAX_LOGO_BYTES ? null : { type, bytes }
}
