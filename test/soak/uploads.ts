import { readdir, stat } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { createDiskFileStore } from '#adapters/files/disk-file-store.ts'
import type { Orm } from '#adapters/postgres/open-orm.ts'
import { createPostgresUploadedFiles } from '#adapters/postgres/uploaded-files.ts'
import { makePruneFiles } from '#application/use-cases/prune-files.ts'
import type { History } from './history.ts'
import type { Random } from './random.ts'

const MIB = 1024 * 1024
const QUOTA_MB = 64
/** Small enough that a soak of some minutes meets each of them. */
export const UPLOAD_ENV = { UPLOAD_FILE_SIZE_LIMIT: '1', UPLOAD_QUOTA_WORKSPACE_MB: String(QUOTA_MB) }

const BOUNDARY = 'a-soak-s-own'
export const MULTIPART = `multipart/form-data; boundary=${BOUNDARY}`
const HEAD = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n`

/** A form with a text of a few bytes up to 600 KB; or, now and then, of more than is taken. */
export function aForm(random: Random): string {
  const bytes = random.chance(0.1) ? MIB + 1 + random.below(MIB) : 1 + random.below(random.pick([500, 50_000, 600_000]))
  return `${HEAD}${'a'.repeat(bytes)}\r\n--${BOUNDARY}--\r\n`
}

/** Begins an upload and hangs up somewhere in the middle; resolves when nothing can come of it any more. */
export function breakOff(url: string, path: string, headers: Readonly<Record<string, string>>, random: Random) {
  const lines = Object.entries({ ...headers, 'Content-Type': MULTIPART, 'Content-Length': '900000' })
  const sent = random.below(700_000)
  const waitMs = random.pick([0, 5, 50])
  return new Promise<void>((resolve) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    socket.resume().on('error', () => {})
    socket.on('close', () => resolve())
    const head = [`POST ${path} HTTP/1.1`, 'Host: soak', ...lines.map(([name, value]) => `${name}: ${value}`)]
    socket.write(`${head.join('\r\n')}\r\n\r\n${HEAD}${'a'.repeat(sent)}`, () =>
      setTimeout(() => socket.destroy(), waitMs),
    )
  })
}

export type UploadRow = { readonly id: string; readonly size: number; readonly isOwned: boolean }
/** Sizes by name; an unfinished file's name is no id. */
export type OnDisk = ReadonlyMap<string, number>

const SETTLED_MS = 10_000
/** Uploads that were cut off may be noticed a little later. */
const AROUND_MS = 2_000

/** What lies in `folder` and in the database against what was acknowledged; what is excused there, the pruner removes. */
export async function uploadViolations(orm: Orm, folder: string, history: History): Promise<string[]> {
  const rows = await rowsOf(orm)
  const known = new Set(rows.map(({ id }) => id))
  const disk = await settled(folder, known, excused(history, KILLED))
  const found = misplaced(history, rows, disk)
  await prune(orm, folder)
  const left = [...(await filesIn(folder)).keys()].filter((name) => !known.has(name))
  return [...found, ...left.map((name) => `${name}: the pruner left it`)]
}

const KILLED = /kill -9/
const KILLED_OR_UNHEARD = /kill -9|PostgreSQL/

/**
 * Every acknowledged file is there, whole and somebody's, and nothing else is: but bytes of uploads amid which a process
 * was killed, and rows whose bytes were taken back because the database's answer got lost.
 */
export function misplaced(history: History, rows: readonly UploadRow[], disk: OnDisk): string[] {
  const known = new Set(rows.map(({ id }) => id))
  const told = new Set(history.entries.flatMap(({ fileId }) => fileId ?? []))
  const bare = rows.filter(({ id, size }) => disk.get(id) !== size)
  const strays = [...disk.keys()].filter((name) => !known.has(name))
  const total = rows.reduce((sum, { size }) => sum + size, 0)
  return [
    ...[...told].filter((id) => !known.has(id)).map((id) => `${id}: an acknowledged upload is not known`),
    ...bare.filter(({ id }) => told.has(id)).map(({ id }) => `${id}: an acknowledged upload is not whole`),
    ...rows.filter(({ isOwned }) => !isOwned).map(({ id }) => `${id}: an upload is nobody's`),
    ...(bare.length > excused(history, KILLED_OR_UNHEARD) ? [`${bare.length} uploads are known and not there`] : []),
    ...(strays.length > excused(history, KILLED) ? [`on the disk and not known: ${strays.join(', ')}`] : []),
    ...(total > QUOTA_MB * MIB ? [`${total} bytes were kept, beyond the quota`] : []),
  ]
}

/** How many uploads of unknown outcome met a fault of this kind. */
function excused({ entries, disturbances }: History, kind: RegExp): number {
  const faults = disturbances.filter(({ name }) => kind.test(name))
  return entries
    .filter(({ did, outcome }) => outcome === 'unknown' && (did === 'upload' || did === 'breakOff'))
    .filter((one) =>
      faults.some((fault) => one.startMs <= fault.endMs + AROUND_MS && fault.startMs - AROUND_MS <= one.endMs),
    ).length
}

async function rowsOf(orm: Orm): Promise<readonly UploadRow[]> {
  return orm.em.fork().execute<UploadRow[]>(
    `select f.id, f.size::float8 as size, (a.id is not null and p.id is not null and p.tenant_id = f.tenant_id) as "isOwned"
      from upload_files f left join accounts a on f.owner_kind = 'account' and a.id = f.owner_id
        left join apps p on p.id = f.app_id`,
  )
}

/** What is on the disk once no more than `most` of it is not known, or no more of that goes. */
async function settled(folder: string, known: ReadonlySet<string>, most: number): Promise<OnDisk> {
  const untilMs = performance.now() + SETTLED_MS
  for (;;) {
    const disk = await filesIn(folder)
    const strays = [...disk.keys()].filter((name) => !known.has(name)).length
    if (strays <= most || performance.now() > untilMs) return disk
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

async function filesIn(folder: string): Promise<OnDisk> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  const files = entries.filter((entry) => entry.isFile())
  return new Map(
    await Promise.all(files.map(async (one) => [one.name, (await stat(join(one.parentPath, one.name))).size] as const)),
  )
}

/** As a server would, a day later. */
async function prune(orm: Orm, folder: string): Promise<void> {
  const ports = {
    fileStore: createDiskFileStore({ folder }),
    uploadedFiles: createPostgresUploadedFiles(orm.em.fork()),
  }
  const now = () => Date.now() + 25 * 3_600_000
  await makePruneFiles({ ...ports, now, settings: { fileRetentionDays: 30 } })()
}
