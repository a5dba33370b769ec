import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { CHILD_ENV } from './child-env.ts'

const ROOT = join(import.meta.dirname, '../..')
const ADDRESS = 'http://127.0.0.1:5001'
const run = promisify(execFile)

export type Variables = Readonly<Record<string, string>>

/** The snippets of a page that are marked as executed. */
export async function executedDocs(page: string) {
  const text = await readFile(join(ROOT, page), 'utf8')
  const marked = text.matchAll(/<!-- executed: (\w+) -->\n```sh\n([\s\S]*?)```/g)
  const scripts = new Map([...marked].map(([, name = '', script = '']) => [name, script]))
  const executed = new Set<string>()
  return {
    /** Runs one as it stands, but for the address of the server. */
    execute(name: string, server: string, variables: Variables) {
      const script = scripts.get(name)
      if (script === undefined) throw new Error(`${page} has no snippet ${name}`)
      executed.add(name)
      // The client's own default is the address in the text, too.
      const env = { ...CHILD_ENV, LATCHKEY_HOST: server, ...variables }
      return run('bash', ['-c', `set -euo pipefail\n${script.replaceAll(ADDRESS, server)}`], { cwd: ROOT, env })
    },
    /** Those that nothing has executed. */
    left: () => [...scripts.keys()].filter((name) => !executed.has(name)),
  }
}
