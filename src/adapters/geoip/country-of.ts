import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { type CountryResponse, Reader } from 'mmdb-lib'
import type { CountryOf } from '#application/ports/country-of.ts'

/**
 * Looks countries up in a local MMDB file, read once: no address ever leaves this machine.
 * @throws Error when the file cannot be read or is no MMDB
 */
export function openCountries(path: string): CountryOf {
  const reader = new Reader<CountryResponse>(readFileSync(path))
  return (ip) => (isIP(ip) === 0 ? null : (reader.get(ip)?.country?.iso_code ?? null))
}
