import type { JsonObject } from '#domain/app.ts'
import { isList, isObject, textAt, textsAt } from '#domain/json.ts'
import { DocumentFault } from '../documents/document-fault.ts'
import { documentKind } from '../documents/document-kind.ts'
import { EgressFailure } from '../egress/http-egress.ts'
import { isFile, resolve } from '../graph/variable-pool.ts'
import { isText, textOfReply } from './http-reply.ts'
import { type NodeExecutor, NodeFailure, type NodeTask } from './node-executor.ts'

const MAX_FILES = 20
const CONNECT_MS = 10_000
const TOTAL_MS = 60_000
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

async function textOfFile({ services, signal }: NodeTask, file: JsonObject): Promise<string> {
  const name = textAt(file, 'name').slice(0, 100)
  const { httpFileBytes, httpTextBytes } = services.limits
  const limits = { connectMs: CONNECT_MS, totalMs: TOTAL_MS, maxBytes: httpFileBytes }
  const request = { method: 'GET', url: textAt(file, 'url'), headers: [], body: null, secretHeaders: [], ...limits }
  try {
    const reply = await services.egress.request(request, signal)
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
    if (!(error instanceof EgressFailure)) throw error
    throw new NodeFailure('FileFetchError', `${name} could not be fetched: ${error.message}`, {}, { cause: error })
  }
}

function limited(name: string, text: string, maxChars: number): string {
  if (text.length <= maxChars) return text
  throw new NodeFailure('ResponseSizeError', `${name} is text of more than ${maxChars} characters`)
}
