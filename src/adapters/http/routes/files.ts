import { Readable } from 'node:stream'
import * as v from 'valibot'
import { DomainError } from '#domain/errors.ts'
import { isUuid } from '#domain/uuid.ts'
import { runExamples } from '../examples/runs.ts'
import { queryObject } from '../input.ts'
import { type Route, route } from '../route.ts'
import type { Page } from './pages.ts'
import { appErrors } from './run.ts'

const FileReply = v.strictObject({
  id: v.string(),
  name: v.string(),
  size: v.pipe(v.number(), v.description('Bytes.')),
  extension: v.string(),
  mime_type: v.string(),
  created_by: v.string(),
  created_at: v.number(),
})

const upload = route({
  method: 'post',
  path: '/apps/:id/files/upload',
  summary: 'Upload a file for one’s own runs of an app',
  access: { kind: 'app', scope: 'apps:run' },
  missing: 'app_not_found',
  filePart: 'file',
  status: 201,
  reply: FileReply,
  example: runExamples.uploadFile,
  errors: [...appErrors, 'file_too_large', 'upload_quota_exceeded', 'unsupported_file_type', 'invalid_input'],
  handle: async (_input, admitted, cases, { filePart }) => {
    const file = await cases.uploadFile(admitted, await filePart())
    return {
      id: file.id,
      name: file.name,
      size: file.size,
      extension: file.extension,
      mime_type: file.mimeType,
      created_by: file.owner.id,
      created_at: Math.floor(file.createdAtMs / 1000),
    }
  },
})

/**
 * A file, for whoever holds a link that has not expired, such as a model. Whatever it is, no browser may show it as a
 * page of ours: it is handed out as a download, and without scripts.
 */
export const linkedFile: Page = {
  method: 'get',
  path: '/files/:id',
  async serve(ctx, { cases }) {
    ctx.state.isApi = true
    const id = ctx.params.id ?? ''
    if (!isUuid(id)) throw new DomainError('not_found', {})
    const { file, bytes } = await cases.openLinkedFile(id, queryObject(ctx.querystring, 'issues'))
    ctx.set({
      'Content-Type': file.mimeType,
      'Content-Length': String(file.size),
      'Content-Disposition': `attachment; filename*=UTF-8''${encodeURIComponent(file.name).replaceAll("'", '%27')}`,
      'Content-Security-Policy': "default-src 'none'; sandbox",
      'X-Content-Type-Options': 'nosniff',
      'Cross-Origin-Resource-Policy': 'same-origin',
      'Cache-Control': 'private, no-store',
    })
    ctx.status = 200
    ctx.body = Readable.from(bytes, { objectMode: false })
  },
}

/** Files that callers bring along. */
export const fileRoutes: readonly Route[] = [upload]
