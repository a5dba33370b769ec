import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { stripTypeScriptTypes } from 'node:module'
import { dirname, join } from 'node:path'

/**
 * Writes `dist/`, a mirror of the repository in plain JavaScript: Node strips no types below node_modules, where an
 * installed package lives. A mirror, so that every relative path of the sources (migrations, pages, the child script of
 * the sandbox) still points at what it means. Types are blanked, not removed: stack traces keep their lines.
 */
const ROOT = join(import.meta.dirname, '..')
const DIST = join(ROOT, 'dist')
const COMPILED = ['src', 'migrations']
const COPIED = ['web', 'src/adapters/runner-native/code/jinja2.zip']
/** Paths and room imports in quotes; prose and other strings that end in `.ts` are left alone. */
const OWN_SPECIFIER = /(['"])((?:\.{1,2}|#[a-z]+)\/[^'"\n]*)\.ts\1/g

async function compile(folder: string): Promise<number> {
  const names = (await readdir(join(ROOT, folder), { recursive: true })).filter((name) => name.endsWith('.ts'))
  for (const name of names) {
    const stripped = stripTypeScriptTypes(await readFile(join(ROOT, folder, name), 'utf8'))
    const target = join(DIST, folder, name.replace(/\.ts$/, '.js'))
    await mkdir(dirname(target), { recursive: true })
    await writeFile(target, stripped.replaceAll(OWN_SPECIFIER, '$1$2.js$1'))
  }
  return names.length
}

type Manifest = { readonly version: string; readonly imports: Record<string, string> }
// The repository's own manifest; a wrong one fails the test that runs the packed program.
const { version, imports } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as Manifest

await rm(DIST, { recursive: true, force: true })
let files = 0
for (const folder of COMPILED) files += await compile(folder)
for (const folder of COPIED) await cp(join(ROOT, folder), join(DIST, folder), { recursive: true })
await writeFile(join(DIST, 'main.js'), `import './src/main.js'\n`)
// The nearest package.json answers `#room/…` imports, and here the rooms are JavaScript.
await writeFile(join(DIST, 'package.json'), `${JSON.stringify({ version, type: 'module', imports }, null, 2)}\n`)
process.stderr.write(`dist: ${files} modules\n`)
