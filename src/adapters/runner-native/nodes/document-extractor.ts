import type { JsonObject } from '#domain/app.ts'
import { isList, isObject, textAt, textsAt } from '#domain/json.ts'
import { DocumentFault } from '../documents/document-fault.ts'
import { documentKind } from '../documents/document-kind.ts'
import { EgressFailure, type EgressReply } from '../egress/http-egress.ts'
import { isStored, readStored, StoredFileFault } from '../files/stored-file.ts'
import { isFile, resolve } from '../graph/variable-pool.ts'
import { isText, textOfReply } from './http-reply.ts'
import { type NodeExecutor, NodeFailure, type NodeTask } from './node-executor.ts'

const MAX_FILES = 20
const CONNECT_MS = 10_000
const TOTAL_MS = 60_000
/** A parser holds all of it; larger documents take more memory than its worker has. */
const MAX_STORED_BYTES = 64 * 1024 * 1024

/** Gives the text of a file, or of each file of a list. */
export const documentExtractor: NodeExecutor = {
  run: async (task) => {
    const { node, pool } = task
    const value = resolve(pool, textsAt(node.data, 'variable_selector')) ?? null
    const inputs = { variable_selector: value }
    const files = (isList(value) ? value : [value]).filter(isObject).filter(isFile)
    if (files.length === 0 && !isList(value)) throw new NodeFailure('FileVariableNotFoundError', 'there is no file')
    if (files.length > MAX_FILES) throw new NodeFailure('DocumentExtractorError', `more than ${MAX_FILES} files`)
    const texts: string[] = []
    for (const file of files) texts.push(await textOfFile(task, file))
    return { inputs, outputs: { text: isList(value) ? texts : (texts[0] ?? '') } }
  },
}

async function textOfFile(task: NodeTask, file: JsonObject): Promise<string> {
  const { services, signal } = task
  const name = textAt(file, 'name').slice(0, 100)
  const { httpFileBytes, httpTextBytes } = services.limits
  const limits = { connectMs: CONNECT_MS, totalMs: TOTAL_MS, maxBytes: httpFileBytes }
  const request = { method: 'GET', url: textAt(file, 'url'), headers: [], body: null, secretHeaders: [], ...limits }
  try {
    const reply = isStored(file) ? await storedReply(task, file) : await services.egress.request(request, signal)
    if (reply.status < 200 || reply.status > 299) {
      throw new NodeFailure('FileFetchError', `${name} could not be fetched: status ${reply.status}`)
    }
    const type = reply.headers['content-type'] ?? ''
    const kind = documentKind(name, type, type !== '' && isText(reply.headers))
    if (kind === null) {
      throw new NodeFailure('UnsupportedFileTypeError', `${name} is of a kind that cannot be read here`)
    }
    if (kind === 'text') return textOfReply(reply, httpTextBytes)
    // Pages name their encoding outside themselves, so that one is decoded here.
    const bytes = kind === 'html' ? new TextEncoder().encode(textOfReply(reply, httpTextBytes)) : reply.body
    return limited(name, await services.documents.textOf({ kind, bytes }, signal), httpTextBytes)
  } catch (error) {
    if (error instanceof DocumentFault) {
      throw new NodeFailure('DocumentExtractorError', `${name} ${error.message}`, {}, { cause: error })
    }
    if (error instanceof StoredFileFault) throw new NodeFailure('FileFetchError', error.message, {}, { cause: error })
    if (!(error instanceof EgressFailure)) throw error
    throw new NodeFailure('FileFetchError', `${name} could not be fetched: ${error.message}`, {}, { cause: error })
  }
}

/** An upload, as if it had been fetched: what it is called and what it is are known from then. */
async function storedReply({ job }: NodeTask, file: JsonObject): Promise<EgressReply> {
  const { bytes, mimeType } = await readStored(job, textAt(file, 'related_id'), MAX_STORED_BYTES)
  return { status: 200, headers: { 'content-type': mimeType }, body: bytes, url: '' }
}

function limited(name: string, text: string, maxChars: number): string {
  if (text.length <= maxChars) return text
  throw new NodeFailure('ResponseSizeError', `${name} is text of more than ${maxChars} characters`)
}
