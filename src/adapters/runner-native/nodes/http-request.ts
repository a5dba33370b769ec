import type { Json, JsonObject } from '#domain/app.ts'
import { numberAt, objectAt, textAt } from '#domain/json.ts'
import { EgressFailure, type EgressReply, type EgressRequest } from '../egress/http-egress.ts'
import { isStored, readStored, StoredFileFault } from '../files/stored-file.ts'
import { fillTemplate, type VariablePool } from '../graph/variable-pool.ts'
import type { RunLimits } from '../limits.ts'
import { bodyOf } from './http-body.ts'
import { pairsOf } from './http-pairs.ts'
import { answerFile, isText, textOfReply } from './http-reply.ts'
import { type NodeExecutor, NodeFailure, type NodeTask } from './node-executor.ts'

/** Sends the node's request through the egress guard. */
export const httpRequest: NodeExecutor = {
  run: async (task) => {
    const { node, services, signal } = task
    try {
      const request = await requestOf(task)
      const reply = await services.egress.request(request, signal)
      const isExpected = reply.status >= 200 && reply.status < 300
      // The author who provides for failures wants to hear of them; everybody else looks at the status.
      if (!isExpected && (node.strategy !== 'none' || node.retry.max > 0)) {
        throw new NodeFailure('HTTPResponseCodeError', `the server answered with status ${reply.status}`)
      }
      return {
        inputs: {},
        processData: { request: summaryOf(request) },
        outputs: outputsOf(reply, task.services.limits),
      }
    } catch (error) {
      if (error instanceof StoredFileFault) throw new NodeFailure('FileFetchError', error.message, {}, { cause: error })
      if (!(error instanceof EgressFailure)) throw error
      throw new NodeFailure('HttpRequestNodeError', error.message, {}, { cause: error })
    }
  },
}

/** For the operator: query and headers may hold keys. */
function summaryOf({ method, url }: EgressRequest): string {
  const { origin, pathname } = new URL(url)
  return `${method} ${origin}${pathname}`
}

async function requestOf({ node: { data }, pool, job, services, signal }: NodeTask): Promise<EgressRequest> {
  const url = urlOf(data, pool)
  const own = pairsOf(pool, textAt(data, 'headers')).filter(([name]) => name !== '')
  const secret = authorizationOf(objectAt(data, 'authorization'), pool)
  const limits = limitsOf(objectAt(data, 'timeout'), services.limits)
  const download = async (file: JsonObject) => {
    if (isStored(file)) return (await readStored(job, textAt(file, 'related_id'), limits.maxBytes)).bytes
    const request = { method: 'GET', url: textAt(file, 'url'), headers: [], body: null, secretHeaders: [], ...limits }
    const reply = await services.egress.request(request, signal)
    if (reply.status < 200 || reply.status > 299) {
      throw new NodeFailure('FileFetchError', `a file could not be fetched: status ${reply.status}`)
    }
    return reply.body
  }
  const body = await bodyOf(objectAt(data, 'body'), pool, download)
  const named = (name: string) => own.some(([other]) => other.toLowerCase() === name.toLowerCase())
  const type = body.contentType === null || named('content-type') ? [] : [['content-type', body.contentType] as const]
  return {
    method: textAt(data, 'method').toUpperCase() || 'GET',
    url,
    headers: [
      ...own.filter(([name]) => name.toLowerCase() !== secret?.[0].toLowerCase()),
      ...(secret === null ? [] : [secret]),
      ...type,
    ],
    body: body.bytes,
    secretHeaders: secret === null ? [] : [secret[0]],
    ...limits,
  }
}

function urlOf(data: JsonObject, pool: VariablePool): string {
  const text = fillTemplate(pool, textAt(data, 'url')).trim()
  const params = pairsOf(pool, textAt(data, 'params')).filter(([name]) => name !== '')
  // What cannot be read is for the guard to refuse.
  if (params.length === 0 || !URL.canParse(text)) return text
  const url = new URL(text)
  for (const [name, value] of params) url.searchParams.append(name, value)
  return url.href
}

function authorizationOf(settings: JsonObject, pool: VariablePool): readonly [name: string, value: string] | null {
  const config = objectAt(settings, 'config')
  if (textAt(settings, 'type') !== 'api-key') return null
  const key = fillTemplate(pool, textAt(config, 'api_key'))
  const name = fillTemplate(pool, textAt(config, 'header')).trim() || 'Authorization'
  switch (textAt(config, 'type')) {
    case 'basic':
      return [name, `Basic ${key.includes(':') ? Buffer.from(key).toString('base64') : key}`]
    case 'custom':
      return [name, key]
    default:
      return [name, `Bearer ${key}`]
  }
}

/** Authors write seconds; zero means as long as may be. */
function limitsOf(timeout: JsonObject, limits: RunLimits): Pick<EgressRequest, 'connectMs' | 'totalMs' | 'maxBytes'> {
  const seconds = (keys: readonly string[], most: number) => {
    const asked = keys.map((key) => numberAt(timeout, key) ?? 0).find((value) => value > 0)
    return Math.min(asked ?? most, most) * 1000
  }
  return {
    connectMs: seconds(['connect', 'max_connect_timeout'], limits.httpConnectSeconds),
    totalMs: seconds(['read', 'max_read_timeout'], limits.httpSeconds),
    maxBytes: limits.httpFileBytes,
  }
}

function outputsOf(reply: EgressReply, { httpTextBytes }: RunLimits): JsonObject {
  const file: Json = isText(reply.headers) ? null : answerFile(reply)
  return {
    status_code: reply.status,
    body: file === null ? textOfReply(reply, httpTextBytes) : '',
    headers: { ...reply.headers },
    files: file === null ? [] : [file],
  }
}
