import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * Repairs package-lock.json after an `npm install` against a registry that lacks some packages of other platforms.
 * npm then leaves them out of the lock file, and the next `npm ci` stops with "Missing … from lock file", although it
 * would never install them here. A stub without `integrity` is enough to satisfy it. `resolved` goes as well: it would
 * tie the lock file to the registry it was written against.
 */
const path = join(import.meta.dirname, '../package-lock.json')
const lock = JSON.parse(await readFile(path, 'utf8'))

/** `@biomejs/cli-linux-x64-musl` -> its platform; null when the name does not tell. */
function platformOf(name) {
  const match = /-(android|darwin|freebsd|linux|win32)-(arm64|arm|ia32|x64|[a-z0-9]+?)(-musl)?$/.exec(name)
  if (match === null) return null
  const [, os, cpu, musl] = match
  return { cpu: [cpu], ...(musl === undefined ? {} : { libc: ['musl'] }), os: [os] }
}

let added = 0
for (const entry of Object.values(lock.packages)) {
  delete entry.resolved
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const platform = platformOf(name)
    if (platform === null || lock.packages[`node_modules/${name}`] !== undefined) continue
    const dev = entry.dev === true ? { dev: true } : {}
    lock.packages[`node_modules/${name}`] = { version, ...platform, ...dev, optional: true }
    added += 1
  }
}
const sorted = Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1))
lock.packages = Object.fromEntries(sorted)
await writeFile(path, `${JSON.stringify(lock, null, 2)}\n`)
process.stdout.write(`package-lock.json: ${added} entries of other platforms added\n`)
