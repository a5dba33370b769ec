import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expectText, Mismatch } from './demo/mismatch.ts'
import { openVisitor } from './demo/open-visitor.ts'
import { createPrograms } from './demo/programs.ts'
import type { Person } from './demo/visitor.ts'

/** The main job, unattended, on a server and folders of its own; `--forms` leaves the browser out. */
const TOTAL_TIMEOUT_MS = 120_000
const EXAMPLES = join(import.meta.dirname, '../examples')
const ADA: Person = { email: 'ada@example.com', name: 'Ada', password: 'correct-horse-42' }
const AUTH_EXIT = 4

const home = await mkdtemp(join(tmpdir(), 'latchkey-demo-'))
const show = (text: string) => void process.stdout.write(text)
const programs = createPrograms(
  home,
  {
    PORT: '0',
    DATA_DIR: join(home, 'data'),
    MODEL_BASE_URL: 'scripted:',
    LOG_LEVEL: 'warn',
    XDG_CONFIG_HOME: join(home, 'config'),
  },
  show,
)

function type(words: readonly string[]) {
  const quoted = words.map((word) => (/^[\w./:@=-]+$/.test(word) ? word : `'${word}'`))
  show(`\n$ latchkey ${quoted.join(' ')}\n`)
  return programs.start(words)
}

/** Types a command and waits for it; `wanted` must be in what it says. */
async function latchkey(words: readonly string[], wanted: string, exit = 0): Promise<string> {
  const { code, stdout, stderr } = await type(words).ended
  if (code !== exit) throw new Mismatch(`latchkey ${words.join(' ')} ended with ${code}, expected ${exit}`)
  expectText(`latchkey ${words.join(' ')}`, stdout + stderr, wanted)
  return stdout
}

async function signIn(server: string): Promise<void> {
  const visitor = await openVisitor(process.argv.includes('--forms'))
  try {
    show(`\n[ browser: ${visitor.means} ]\n[ ${server}/install: create the first account ]\n`)
    await visitor.install(server, ADA)
    await latchkey(['app', 'import', join(EXAMPLES, 'greeting-workflow.yml')], 'Greeting')
    await latchkey(['app', 'import', join(EXAMPLES, 'assistant-chat.yml')], 'Assistant')
    const login = type(['login', '--host', server])
    const link = await login.said(/or open (\S+) and/)
    const code = await login.said(/^ {4}([A-Z0-9]{4}-[A-Z0-9]{4})$/m)
    show(`[ browser: sign in, open ${link}, compare ${code}, authorize ]\n`)
    await visitor.signIn(server, ADA)
    await visitor.approve(link, code)
    const { code: exit, stdout } = await login.ended
    if (exit !== 0) throw new Mismatch(`latchkey login ended with ${exit}`)
    expectText('latchkey login', stdout, ADA.email)
  } finally {
    await visitor.close()
  }
}

/** The same run without our client: any program that speaks HTTP can use the token. */
async function callBlocking(server: string, token: string, app: string, body: object, wanted: string): Promise<void> {
  const apps: unknown = JSON.parse(await latchkey(['apps', '--name', app, '--json'], app))
  const [, id = ''] = /"id":\s*"([^"]+)"/.exec(JSON.stringify(apps)) ?? []
  const url = `${server}/openapi/v1/apps/${id}/run`
  const json = JSON.stringify({ ...body, response_mode: 'blocking' })
  show(`\n$ curl ${url} -H "Authorization: Bearer $TOKEN" --json '${json}'\n`)
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' }
  const response = await fetch(url, { method: 'POST', headers, body: json })
  const text = await response.text()
  show(`${text}\n`)
  if (response.status !== 200) throw new Mismatch(`the run answered ${response.status}`)
  expectText('the run', text, wanted)
}

async function keptToken(): Promise<string> {
  const folder = join(home, 'config/latchkey/hosts')
  const [file = ''] = await readdir(folder)
  const [, token = ''] = /"token":"([^"]+)"/.exec(await readFile(join(folder, file), 'utf8')) ?? []
  return token
}

async function demo(): Promise<void> {
  const server = await type(['serve']).said(/serves at (http:\S+)/)
  await signIn(server)
  const token = await keptToken()
  await latchkey(['whoami'], ADA.email)
  await latchkey(['apps'], 'Greeting')
  await latchkey(['describe', 'Greeting'], 'required')
  await latchkey(['describe', 'Assistant'], 'QUERY')
  const greet = ['run', 'Greeting', '--input', 'name=Ada', '--input']
  await latchkey([...greet, 'tone=formal'], 'Good day, Ada. — Latchkey')
  await latchkey([...greet, 'tone=friendly', '--stream'], 'Hi Ada! — Latchkey')
  const ask = ['run', 'Assistant', 'Reply exactly: The door is open.']
  await latchkey(ask, 'The door is open.')
  await latchkey([...ask, '--stream'], 'The door is open.')
  await callBlocking(server, token, 'Greeting', { inputs: { name: 'Ada' } }, 'Hi Ada! — Latchkey')
  await callBlocking(server, token, 'Assistant', { inputs: {}, query: 'Reply exactly: Come in.' }, 'Come in.')
  await latchkey(['sessions'], 'latchkey')
  await latchkey(['logout'], 'Signed out')
  await latchkey(['whoami', '--host', server], 'not signed in', AUTH_EXIT)
  show('\n[ the token it had is dead ]\n')
  const headers = { Authorization: `Bearer ${token}` }
  const { status } = await fetch(`${server}/openapi/v1/account`, { headers })
  show(`GET /openapi/v1/account with the old token → ${status}\n`)
  if (status !== 401) throw new Mismatch(`the revoked token still answers ${status}`)
}

const tooLong = setTimeout(() => {
  process.exitCode = 1
  process.stderr.write(`\nDemo failed: not done after ${TOTAL_TIMEOUT_MS / 1000} s\n`)
  void programs.stopAll().finally(() => process.exit(1))
}, TOTAL_TIMEOUT_MS)
try {
  await demo()
  show('\nDemo done: signed in, listed, described, ran, revoked.\n')
} catch (error) {
  process.exitCode = 1
  process.stderr.write(
    `\nDemo failed: ${error instanceof Mismatch ? error.message : error instanceof Error ? error.stack : error}\n`,
  )
} finally {
  clearTimeout(tooLong)
  await programs.stopAll()
  await rm(home, { recursive: true, force: true })
}
