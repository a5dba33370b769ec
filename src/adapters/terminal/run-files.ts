import { openAsBlob } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import * as v from 'valibot'
import type { ApiClient } from './api-client.ts'
import { usageFailure } from './terminal-failure.ts'
import { unreadableFile } from './unreadable-file.ts'

const Uploaded = v.object({ id: v.string(), mime_type: v.string() })

type LocalFile = {
  readonly type?: string
  readonly transfer_method: 'local_file'
  readonly upload_file_id: string
}

/** What a run is asked with: its inputs, and the files beside them when there are any. */
export type GivenFiles = { readonly inputs: Record<string, unknown>; readonly files?: readonly LocalFile[] }

/**
 * Uploads what `--file` names: `name=path` becomes that input, `name[]=path` one of a list of files, as often as needed; a
 * bare path goes beside the inputs. All of them can be read before the first is sent.
 * @throws TerminalFailure (usage) for a file that cannot be read
 */
export async function uploadFiles(
  api: ApiClient,
  appId: string,
  given: readonly string[],
  inputs: Record<string, unknown>,
): Promise<GivenFiles> {
  const opened = await Promise.all(given.map(open))
  const named = new Map<string, LocalFile | LocalFile[]>()
  const beside: LocalFile[] = []
  for (const { input, isList, name, content } of opened) {
    const call = { method: 'POST', path: `/apps/${appId}/files/upload`, file: { name, content } } as const
    const { id, mime_type } = await api.call(call, Uploaded)
    const file = { transfer_method: 'local_file' as const, upload_file_id: id }
    if (input === null) beside.push({ type: kindOf(mime_type), ...file })
    else named.set(input, isList ? [...[named.get(input) ?? []].flat(), file] : file)
  }
  return { inputs: { ...inputs, ...Object.fromEntries(named) }, ...(beside.length === 0 ? {} : { files: beside }) }
}

/** A path may hold an equals sign: only what looks like a variable's name is one. */
async function open(given: string) {
  const [, input = null, list, path = given] = /^([A-Za-z_]\w*)(\[\])?=(.+)$/s.exec(given) ?? []
  try {
    if (!(await stat(path)).isFile()) throw usageFailure(`${path} is no file`)
    return { input, isList: list !== undefined, name: basename(path), content: await openAsBlob(path) }
  } catch (error) {
    throw unreadableFile(path, error) ?? error
  }
}

function kindOf(mimeType: string): string {
  return /^(image|audio|video)\//.exec(mimeType)?.[1] ?? 'document'
}
