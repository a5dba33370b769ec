import type { EntityManager } from '@mikro-orm/sql'
import type { UploadedFiles, Uploader } from '#application/ports/uploaded-files.ts'
import { isBounded, isBoundedAnywhere, overQuota, type StoredBy, type UploadQuota } from '#domain/upload-quota.ts'
import type { UploadedFile } from '#domain/uploaded-file.ts'
import { isUuid } from '#domain/uuid.ts'
import { epochMs, instant, rowOf, rowsOf, storableText } from './sql.ts'
import { translateErrors } from './translate-errors.ts'

type FoundFile = Omit<UploadedFile, 'owner'> & {
  readonly ownerKind: UploadedFile['owner']['kind']
  readonly ownerId: string
}

const SELECT = `select id, tenant_id as "workspaceId", app_id as "appId", owner_kind as "ownerKind",
    owner_id as "ownerId", name, extension, mime_type as "mimeType", size::float8 as size,
    ${epochMs('created_at', 'createdAtMs')}
  from upload_files`

/** Rows of `upload_files`. */
export function createPostgresUploadedFiles(em: EntityManager): UploadedFiles {
  return translateErrors<UploadedFiles>({
    async add(file, quota) {
      return em.transactional(async () => {
        await takeTurn(em, file, quota)
        const over = isBoundedAnywhere(quota)
          ? overQuota(await storedBy(em, file), { files: 1, bytes: file.size }, quota)
          : null
        if (over === null) await insert(em, file)
        return over
      })
    },

    stored: (uploader) => storedBy(em, uploader),

    async find(id) {
      const row = isUuid(id) ? await rowOf<FoundFile>(em, `${SELECT} where id = ?`, [id]) : null
      return row === null ? null : toDomain(row)
    },

    async own(ids, { appId, owner }) {
      const rows = await rowsOf<FoundFile>(
        em,
        `${SELECT} where id = any(?::uuid[]) and app_id = ? and owner_kind = ? and owner_id = ?`,
        [listOf(ids), appId, owner.kind, owner.id],
      )
      return rows.map(toDomain)
    },

    async forget(cutoffMs, max) {
      const gone = await rowsOf<{ id: string }>(
        em,
        `delete from upload_files where id in (
            select id from upload_files where created_at < ?::timestamptz order by created_at limit ? for update skip locked
          ) returning id`,
        [instant(cutoffMs), max],
      )
      return gone.map(({ id }) => id)
    },

    async known(ids) {
      const rows = await rowsOf<{ id: string }>(em, 'select id from upload_files where id = any(?::uuid[])', [
        listOf(ids),
      ])
      return new Set(rows.map(({ id }) => id))
    },
  })
}

/** Sums are right only while nobody else adds to them; taken by all in one order, the two never wait for each other. */
async function takeTurn(em: EntityManager, { workspaceId, owner }: Uploader, quota: UploadQuota): Promise<void> {
  const turns = [
    ...(isBounded(quota.person) ? [`uploads of ${owner.kind} ${owner.id}`] : []),
    ...(isBounded(quota.workspace) ? [`uploads in ${workspaceId}`] : []),
  ]
  for (const turn of turns) await rowsOf(em, 'select pg_advisory_xact_lock(hashtextextended(?, 0))', [turn])
}

const TOTAL = 'select count(*)::float8 as files, coalesce(sum(size), 0)::float8 as bytes from upload_files'

async function storedBy(em: EntityManager, { workspaceId, owner }: Uploader): Promise<StoredBy> {
  const rows = await rowsOf<{ files: number; bytes: number }>(
    em,
    `select * from (${TOTAL} where owner_id = ? and owner_kind = ?) as person
      union all select * from (${TOTAL} where tenant_id = ?) as workspace`,
    [owner.id, owner.kind, workspaceId],
  )
  const [person, workspace] = rows
  if (person === undefined || workspace === undefined) throw new Error('a total of uploads is missing')
  return { person, workspace }
}

async function insert(em: EntityManager, file: UploadedFile): Promise<void> {
  await rowsOf(
    em,
    `insert into upload_files
        (id, tenant_id, app_id, owner_kind, owner_id, name, extension, mime_type, size, created_at)
      values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?::timestamptz)`,
    [
      file.id,
      file.workspaceId,
      file.appId,
      file.owner.kind,
      file.owner.id,
      storableText(file.name),
      file.extension,
      file.mimeType,
      file.size,
      instant(file.createdAtMs),
    ],
  )
}

function listOf(ids: readonly string[]): string {
  return `{${ids.filter(isUuid).join(',')}}`
}

function toDomain({ ownerKind, ownerId, ...file }: FoundFile): UploadedFile {
  return { ...file, owner: { kind: ownerKind, id: ownerId } }
}
