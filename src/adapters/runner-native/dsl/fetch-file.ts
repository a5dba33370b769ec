import type { FetchFile } from '#application/ports/fetch-file.ts'
import { EgressFailure, type HttpEgress } from '../egress/http-egress.ts'
import { MAX_BYTES, refuse } from './refuse.ts'

const CONNECT_MS = 10_000
const TOTAL_MS = 30_000

/** Fetches app files by the one way to the network. */
export function createFetchFile(egress: HttpEgress): FetchFile {
  return async (url) => {
    const reply = await asked(egress, url)
    if (reply.status !== 200) refuse(`the server of the file answered ${reply.status}`)
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(reply.body)
    } catch (error) {
      if (error instanceof TypeError) refuse('the file is not UTF-8')
      throw error
    }
  }
}

async function asked(egress: HttpEgress, url: string) {
  const request = { method: 'GET', url, headers: [], body: null, secretHeaders: [] }
  const bounds = { connectMs: CONNECT_MS, totalMs: TOTAL_MS, maxBytes: MAX_BYTES }
  try {
    return await egress.request({ ...request, ...bounds }, new AbortController().signal)
  } catch (error) {
    if (error instanceof EgressFailure) refuse(`the file could not be fetched: ${error.message}`)
    throw error
  }
}
