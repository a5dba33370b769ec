import { type FoundRecord, type Question, RetrievalFailure, type Retriever } from '#application/ports/retriever.ts'
import type { Json, JsonObject } from '#domain/app.ts'
import { isList, isObject, numberAt, objectAt, textAt } from '#domain/json.ts'
import { EgressFailure, type EgressReply, type HttpEgress } from '../egress/http-egress.ts'
import { parseJson } from '../parse-json.ts'

const LIMITS = { connectMs: 10_000, totalMs: 60_000, maxBytes: 4 * 1024 * 1024 }

/** Errors that the protocol numbers. */
const KNOWN_ERRORS: Readonly<Record<number, string>> = {
  1001: 'the knowledge service does not understand the authorization',
  1002: 'the knowledge service refused the key',
  2001: 'the knowledge service does not know this knowledge',
}

/** Any service that speaks Dify's public external knowledge protocol: `POST {url}/retrieval` with a bearer key. */
export function createExternalKnowledge(egress: HttpEgress): Retriever {
  return {
    async retrieve({ url, key, knowledgeId }, question, signal) {
      const { query, topK, scoreThreshold, metadataCondition } = question
      const asked = {
        knowledge_id: knowledgeId,
        query,
        retrieval_setting: { top_k: topK, score_threshold: scoreThreshold ?? 0 },
        ...(metadataCondition === null ? {} : { metadata_condition: metadataCondition }),
      }
      const base = url.replace(/\/+$/, '')
      const authorization = key === null ? [] : [['authorization', `Bearer ${key}`] as const]
      const request = {
        method: 'POST',
        url: base.endsWith('/retrieval') ? base : `${base}/retrieval`,
        headers: [['content-type', 'application/json'] as const, ...authorization],
        body: Buffer.from(JSON.stringify(asked)),
        secretHeaders: ['authorization'],
        ...LIMITS,
      }
      return recordsIn(await reach(egress, request, signal), question)
    },
  }
}

async function reach(egress: HttpEgress, ...asked: Parameters<HttpEgress['request']>): Promise<EgressReply> {
  try {
    return await egress.request(...asked)
  } catch (error) {
    if (!(error instanceof EgressFailure)) throw error
    throw new RetrievalFailure(`the knowledge service: ${error.message}`, { cause: error })
  }
}

function recordsIn(reply: EgressReply, { topK, scoreThreshold }: Question): readonly FoundRecord[] {
  const answer = parseJson(new TextDecoder().decode(reply.body))
  if (reply.status < 200 || reply.status > 299) throw new RetrievalFailure(refusalOf(answer, reply.status))
  if (!isObject(answer) || !isList(answer.records)) {
    throw new RetrievalFailure('the knowledge service did not answer with records')
  }
  return answer.records
    .filter(isObject)
    .flatMap(recordOf)
    .filter(({ score }) => scoreThreshold === null || score >= scoreThreshold)
    .toSorted((one, other) => other.score - one.score)
    .slice(0, topK)
}

function refusalOf(answer: Json | undefined, status: number): string {
  const code = isObject(answer) ? numberAt(answer, 'error_code') : null
  return KNOWN_ERRORS[code ?? 0] ?? `the knowledge service answered with status ${status}`
}

function recordOf(record: JsonObject): readonly FoundRecord[] {
  const content = textAt(record, 'content')
  if (content === '') return []
  const score = numberAt(record, 'score') ?? 0
  return [{ content, title: textAt(record, 'title'), score, metadata: objectAt(record, 'metadata') }]
}
