import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { compileTemplate, type Template } from './template.ts'

const VIEWS = ['install', 'signin', 'device', 'chooser', 'authorize', 'decided', 'problem', 'sessions'] as const
const ASSETS = {
  'device.css': 'text/css; charset=utf-8',
  'device.js': 'text/javascript; charset=utf-8',
  'icon.svg': 'image/svg+xml',
} as const

/** A page's file, without its ending. */
export type ViewName = (typeof VIEWS)[number]

/** A file that pages link to. */
export type Asset = { readonly name: string; readonly type: string; readonly etag: string; readonly bytes: Buffer }

/** All that `web/` holds. */
export type WebFolder = { readonly views: Readonly<Record<ViewName, Template>>; readonly assets: readonly Asset[] }

/**
 * Reads `web/` once. Only the names above are ever read, so no request path reaches the file system.
 * @throws Error when a file is missing
 */
export function readWebFolder(): WebFolder {
  // `dist` mirrors the repository, so this holds in both.
  const folder = join(import.meta.dirname, '../../../../web')
  const layout = readFileSync(join(folder, 'layout.html'), 'utf8')
  const compile = (name: string) => {
    const view = readFileSync(join(folder, `${name}.html`), 'utf8')
    return compileTemplate(layout.replace('<!-- view -->', () => view))
  }
  const views = Object.fromEntries(VIEWS.map((name) => [name, compile(name)]))
  const assets = Object.entries(ASSETS).map(([name, type]) => {
    const bytes = readFileSync(join(folder, name))
    return { name, type, etag: createHash('sha256').update(bytes).digest('base64url').slice(0, 22), bytes }
  })
  return { views: views as WebFolder['views'], assets } // one entry for each of VIEWS
}
