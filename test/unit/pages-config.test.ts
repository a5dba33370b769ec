import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { isLegibleAccent, makeBrand } from '#adapters/http/pages/brand.ts'
import { loadConfig } from '#src/config.ts'
import { faultsOf } from '../support/config-faults.ts'
import { anMmdb } from '../support/mmdb.ts'

const folder = mkdtempSync(join(tmpdir(), 'latchkey-pages-'))
const file = (name: string, bytes: string | Buffer) => {
  const path = join(folder, name)
  writeFileSync(path, bytes)
  return path
}

describe('configuration of the pages', () => {
  it('takes a name, a logo, an accent and a file of countries', () => {
    const { pages } = loadConfig({
      BRAND_NAME: 'Acme AI',
      BRAND_ACCENT: '#5b21b6',
      BRAND_LOGO_FILE: file('logo.SVG', '<svg/>'),
      GEOIP_FILE: file('countries.mmdb', anMmdb('11001011', 'NL')),
    }).config
    expect(pages.brand).to.include({ name: 'Acme AI', accent: '#5b21b6' })
    expect(pages.brand.logo?.type).to.equal('image/svg+xml')
    const countryOf = pages.countryOf ?? (() => 'no file')
    expect(['203.0.113.7', '8.8.8.8', 'unknown', ''].map(countryOf)).to.deep.equal(['NL', null, null, null])
  })

  it('L05 every bad value stops the start, named and without its value', () => {
    const secret = join(folder, 'secret-place')
    const faults = faultsOf({
      BRAND_NAME: 'x'.repeat(41),
      BRAND_ACCENT: '#ffdd00',
      BRAND_LOGO_FILE: `${secret}.png`,
      GEOIP_FILE: file('broken.mmdb', 'no mmdb'),
    })
    const names = ['BRAND_NAME', 'BRAND_LOGO_FILE', 'BRAND_ACCENT', 'GEOIP_FILE']
    expect(faults.map((fault) => fault.split(' ')[0])).to.deep.equal(names)
    expect(faults.join()).not.to.contain(folder).and.not.contain('ffdd00')
  })

  it('tells a file that cannot be read from one that is not what is wanted', () => {
    const absent = join(folder, 'absent.png')
    for (const [name, wanted] of [
      ['BRAND_LOGO_FILE', 'an SVG'],
      ['GEOIP_FILE', 'an MMDB file'],
    ] as const) {
      for (const path of [absent, `${folder}/`]) {
        const read = `${name} must be the path of a file that is there and can be read`
        expect(faultsOf({ [name]: path })[0], path).to.equal(read)
      }
      expect(faultsOf({ [name]: file('nothing.png', '') })[0]).to.include(`${name} must be ${wanted}`)
    }
  })

  it('refuses a logo that is too large, empty or no picture', () => {
    const refused = [file('big.png', Buffer.alloc(64 * 1024 + 1)), file('empty.png', ''), file('page.html', '<p>')]
    for (const path of refused) expect(faultsOf({ BRAND_LOGO_FILE: path })).to.have.length(1)
  })
})

describe('a brand', () => {
  it('has an accent only if it can be read on the light ground', () => {
    expect(['#0f5f57', '#5b21b6', '#000000'].map(isLegibleAccent)).to.deep.equal([true, true, true])
    expect(['#ffffff', '#ffdd00', '#22c55e', 'red', '#12345', '#0f5f57;}'].some(isLegibleAccent)).to.equal(false)
  })

  it('lightens its accent in the dark, however dark it is', () => {
    const css = makeBrand({ name: null, logo: null, accent: '#000000' }).accentCss?.bytes.toString() ?? ''
    const [, dark = ''] = /prefers-color-scheme:dark\)\{:root\{--accent:#(\w{6})/.exec(css) ?? []
    expect(Number.parseInt(dark.slice(0, 2), 16)).to.be.greaterThan(0x80)
  })
})
