import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort } from './support/free-port.ts'
import { deployment, importApp, OWNER, setUpOwner, startLatchkey } from './support/latchkey.ts'
import { rounded, spreadOf } from './support/numbers.ts'
import { type ServerProcess, startServer } from './support/server-process.ts'
import { createTemporaryDatabase } from './support/temporary-database.ts'
import { writeResults } from './support/write-results.ts'

const BYTES = 100_000_000
/** Of the speed of a bare pipe into a file. */
const GOAL = 0.8
const ROUNDS = 7
const PIECE_BYTES = 65_536
const BOUNDARY = 'bench-boundary-0123456789abcdef'
const BARE = fileURLToPath(new URL('./support/bare-upload.ts', import.meta.url))

type Target = { readonly server: ServerProcess; readonly path: string; readonly headers: Record<string, string> }
type Shot = { readonly mbPerS: number; readonly mbPerCpuS: number; readonly peakMb: number }

/**
 * One film of 100 MB at a time to a Latchkey on PostgreSQL and Redis, and to a bare Koa that pipes the request into a file,
 * in turns, each alone on the server core. Told are the speeds, the ratios of each round, and what the servers hold.
 */
async function main(): Promise<void> {
  const database = await createTemporaryDatabase()
  const { settings, close } = await deployment(database.url)
  const folder = await mkdtemp(join(tmpdir(), 'latchkey-bench-upload-'))
  const env = { ...settings, OPENAPI_RATE_LIMIT_PER_TOKEN: '0' }
  const servers: ServerProcess[] = []
  try {
    const latchkey = await startLatchkey(env)
    servers.push(latchkey)
    const bare = await startServer([BARE], await freePort(), '/', { FOLDER: folder })
    servers.push(bare)
    await setUpOwner(latchkey)
    const [token = ''] = await database.seedTokens(OWNER.email, 1)
    const app = importApp(env, 'assistant-chat.yml')
    const headers = {
      authorization: `Bearer ${token}`,
      'content-type': `multipart/form-data; boundary=${BOUNDARY}`,
    }
    const path = `/openapi/v1/apps/${app}/files/upload`
    await compare({ server: latchkey, path, headers }, bare, headers)
  } finally {
    for (const server of servers) await server.stop()
    await close()
    await database.drop()
    await rm(folder, { recursive: true, force: true })
  }
}

async function compare(latchkey: Target, bare: ServerProcess, headers: Record<string, string>): Promise<void> {
  const targets: readonly (readonly [name: string, target: Target])[] = [
    ['latchkey', latchkey],
    ['bare Koa, flushed', { server: bare, path: '/flushed', headers }],
    ['bare Koa', { server: bare, path: '/', headers }],
  ]
  const body = film()
  const idleMb = latchkey.server.residentMb()
  const shots = new Map<string, Shot[]>(targets.map(([name]) => [name, []]))
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [name, target] of targets) {
      const shot = await upload(target, body)
      if (round > 0) shots.get(name)?.push(shot)
    }
  }
  const of = (name: string, key: keyof Shot) => (shots.get(name) ?? []).map((shot) => shot[key])
  const median = (values: readonly number[]) => spreadOf(values).median
  const over = (yardstick: string, key: keyof Shot) => {
    const theirs = of(yardstick, key)
    const { median, min, max } = spreadOf(of('latchkey', key).map((ours, at) => ours / (theirs[at] ?? Number.NaN)))
    return { median: rounded(median, 2), min: rounded(min, 2), max: rounded(max, 2) }
  }
  const speeds = targets.map(([name]) => [
    name,
    { mb_per_s: rounded(median(of(name, 'mbPerS')), 0), mb_per_cpu_s: rounded(median(of(name, 'mbPerCpuS')), 0) },
  ])
  const ratios = targets
    .slice(1)
    .map(([name]) => [`over ${name}`, { by_time: over(name, 'mbPerS'), by_cpu: over(name, 'mbPerCpuS') }])
  const met = over('bare Koa', 'mbPerS').median >= GOAL
  writeResults('upload', {
    ...Object.fromEntries([...speeds, ...ratios]),
    memory_mb: { before: rounded(idleMb, 0), most: rounded(Math.max(...of('latchkey', 'peakMb')), 0) },
    goal: GOAL,
    met,
  })
  if (!met) process.exitCode = 1
}

/** A form with one file, of bytes that look like a film's. */
function film(): Buffer {
  const head = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="film.mp4"\r\n\r\n`
  const bytes = Buffer.alloc(BYTES)
  for (let at = 0; at < BYTES; at += 4) bytes.writeUInt32LE(Math.imul(at, 2_654_435_761) >>> 0, at)
  bytes.write('\0\0\0\x18ftypmp42', 'latin1')
  return Buffer.concat([Buffer.from(head), bytes, Buffer.from(`\r\n--${BOUNDARY}--\r\n`)])
}

async function upload({ server, path, headers }: Target, body: Buffer): Promise<Shot> {
  let peakMb = 0
  const cpuBefore = server.cpuSeconds()
  const startedAtMs = performance.now()
  const sent = request(server.origin + path, { method: 'POST', headers: { ...headers, 'content-length': body.length } })
  const answered = once(sent, 'response')
  for (let at = 0, piece = 0; at < body.length; at += PIECE_BYTES, piece++) {
    if (!sent.write(body.subarray(at, at + PIECE_BYTES))) await once(sent, 'drain')
    if (piece % 64 === 0) peakMb = Math.max(peakMb, server.residentMb())
  }
  sent.end()
  const [response] = await answered
  response.resume()
  await once(response, 'end')
  const seconds = (performance.now() - startedAtMs) / 1000
  if (response.statusCode !== 201) throw new Error(`${path} answered ${response.statusCode}`)
  const mb = body.length / 1_000_000
  return { mbPerS: mb / seconds, mbPerCpuS: mb / Math.max(0.01, server.cpuSeconds() - cpuBefore), peakMb }
}

await main()
