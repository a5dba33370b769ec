import { installedParts } from './installed-parts.ts'

/**
 * Lists the licence of everything an installation holds, `--json` for programs. Exits with 1 when one is unknown or not
 * among those that may be shipped with Apache-2.0 software without further duties than to name them.
 */
const ALLOWED = new Set(['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'CC0-1.0', 'ISC', 'MIT', 'MIT-0'])
/** Allowed since they are used unchanged, and their sources are public. */
const UNCHANGED = new Set(['MPL-2.0'])

/** Of several licences one will do; of several together, each has to. */
function isAllowed(licence: string): boolean {
  const bare = licence.replace(/^\((.*)\)$/, '$1')
  if (bare.includes(' OR ')) return bare.split(' OR ').some(isAllowed)
  return bare.split(' AND ').every((one) => ALLOWED.has(one) || UNCHANGED.has(one))
}

const parts = await installedParts()
const line = (words: readonly string[]) => `${words.join(' ').trimEnd()}\n`
const asJson = () => `${JSON.stringify(parts, null, 2)}\n`
const asText = () => parts.map(({ name, version, licence }) => line([licence.padEnd(20), name, version])).join('')
process.stdout.write(process.argv.includes('--json') ? asJson() : asText())

const refused = parts.filter(({ licence }) => !isAllowed(licence))
for (const { name, licence } of refused) {
  process.stderr.write(line([`${name}:`, licence, 'is not among the licences that may be shipped']))
}
if (refused.length > 0) process.exitCode = 1
