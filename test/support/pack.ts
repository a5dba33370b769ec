import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '../..')
export const MODULES = join(ROOT, 'node_modules')
const SOURCES = [
  'bin',
  'client',
  'src',
  'migrations',
  'web',
  'examples',
  'scripts',
  'package.json',
  '.npmrc',
  'README.md',
  'LICENSE',
]

/**
 * What `npm pack` makes, as a path below `home`. Of a copy: `dist/` in the clone itself would shadow its sources for
 * whoever runs the launcher meanwhile.
 */
export function packInto(home: string): string {
  const copy = join(home, 'copy')
  mkdirSync(copy)
  for (const name of SOURCES) {
    if (existsSync(join(ROOT, name))) cpSync(join(ROOT, name), join(copy, name), { recursive: true })
  }
  symlinkSync(MODULES, join(copy, 'node_modules'))
  const env = { ...process.env, npm_config_cache: join(home, 'cache'), npm_config_update_notifier: 'false' }
  execFileSync('npm', ['pack', '--pack-destination', home], { cwd: copy, env, stdio: 'pipe' })
  const [tarball = ''] = readdirSync(home).filter((name) => name.endsWith('.tgz'))
  return join(home, tarball)
}
