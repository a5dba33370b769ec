import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { installedParts, type Part } from './installed-parts.ts'

/** Prints what an installation holds as a CycloneDX 1.5 document, the same for the same lock file. */
function purlOf({ name, version }: Part): string {
  const scoped = name.replace('@', '%40')
  return version === '' ? `pkg:pypi/${name.toLowerCase()}` : `pkg:npm/${scoped}@${version}`
}

function componentOf(part: Part) {
  const { name, version, licence, integrity } = part
  const [algorithm = '', digest = ''] = integrity?.split(/-(.*)/s) ?? []
  const hash = { alg: algorithm.replace('sha', 'SHA-'), content: Buffer.from(digest, 'base64').toString('hex') }
  const isExpression = licence.includes(' ')
  return {
    type: 'library',
    'bom-ref': purlOf(part),
    name,
    ...(version === '' ? {} : { version }),
    purl: purlOf(part),
    licenses: [isExpression ? { expression: licence } : { license: { id: licence } }],
    ...(integrity === null ? {} : { hashes: [hash] }),
  }
}

const manifest = await readFile(join(import.meta.dirname, '../package.json'), 'utf8')
const { name, version } = JSON.parse(manifest) as { readonly name: string; readonly version: string } // our own
const parts = new Map((await installedParts()).map((part) => [purlOf(part), part]))
const document = {
  bomFormat: 'CycloneDX',
  specVersion: '1.5',
  version: 1,
  metadata: { component: { type: 'application', 'bom-ref': `pkg:npm/${name}@${version}`, name, version } },
  components: [...parts.values()].map(componentOf),
}
process.stdout.write(`${JSON.stringify(document, null, 2)}\n`)
