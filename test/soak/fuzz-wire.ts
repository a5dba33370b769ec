import { type Agent, request } from 'node:http'
import type { Draft } from './fuzz-mutations.ts'

/** A request as it is sent. */
export type Written = {
  readonly method: string
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  readonly payload: Buffer | null
  readonly isChunked: boolean
}

export type Answered = {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
}

const WITHIN_MS = 15_000
/** A stream may rightly stay open: a run that waits for a person. */
const STREAM_MS = 1500

/** Puts a draft into the bytes that go over the wire. */
export function write(draft: Draft): Written {
  const written = draft.query.map((pair) => pair.map(encodeURIComponent).join('=')).join('&')
  const query = draft.rawQuery ?? written
  const target = (draft.path + (query === '' ? '' : `?${query}`)).replaceAll(/[^!-~]/g, '') || '/'
  const text = draft.raw ?? bodyText(draft)
  const whole = text === null ? null : Buffer.from(text)
  const payload = whole === null || draft.chop === null ? whole : whole.subarray(0, whole.length * draft.chop)
  const bounded = draft.type === 'multipart/form-data' ? 'multipart/form-data; boundary=x' : draft.type
  const type = bounded === null || payload === null ? {} : { 'Content-Type': bounded }
  return { method: draft.method, target, headers: { ...type, ...draft.headers }, payload, isChunked: draft.isChunked }
}

function bodyText({ value, type }: Draft): string | null {
  if (value === undefined) return null
  const isWhole = typeof value !== 'object' || value === null
  if (isWhole || type === null || type.includes('json')) return JSON.stringify(value)
  const pairs = Object.entries(value).map(([name, one]): [string, string] => [
    name,
    typeof one === 'string' ? one : (JSON.stringify(one) ?? ''),
  ])
  if (type.startsWith('application/x-www-form-urlencoded')) return new URLSearchParams(pairs).toString()
  if (!type.startsWith('multipart/form-data')) return JSON.stringify(value)
  const parts = pairs.map(([name, one]) => {
    const file = name === 'file' ? '; filename="a.txt"\r\nContent-Type: text/plain' : ''
    return `--x\r\nContent-Disposition: form-data; name="${name}"${file}\r\n\r\n${one}\r\n`
  })
  return `${parts.join('')}--x--\r\n`
}

/**
 * Sends it to `origin` and reads the whole answer.
 * @throws Error when no answer comes in time
 */
export async function send(origin: string, agent: Agent, written: Written): Promise<Answered> {
  try {
    return await sendOnce(origin, agent, written)
  } catch (error) {
    if (!(error instanceof RestedTooLong)) throw error
    return sendOnce(origin, agent, written)
  }
}

/** The server closed a kept connection as it rested, just before this request came on it. */
class RestedTooLong extends Error {}

function sendOnce(origin: string, agent: Agent, written: Written): Promise<Answered> {
  const { method, target, headers, payload, isChunked } = written
  const sized =
    payload === null
      ? {}
      : isChunked
        ? { 'Transfer-Encoding': 'chunked' }
        : { 'Content-Length': String(payload.length) }
  const { hostname, port } = new URL(origin)
  return new Promise((resolve, reject) => {
    const outgoing = request({ agent, hostname, port, method, path: target, headers: { ...headers, ...sized } })
    const overdue = setTimeout(() => outgoing.destroy(new Error('no answer in time')), WITHIN_MS)
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(overdue)
      reject(outgoing.reusedSocket && error.code === 'ECONNRESET' ? new RestedTooLong() : error)
    })
    outgoing.on('response', (incoming) => {
      const parts: Buffer[] = []
      const isStream = String(incoming.headers['content-type']).startsWith('text/event-stream')
      const enough = isStream ? setTimeout(() => incoming.destroy(), STREAM_MS) : undefined
      const settle = () => {
        clearTimeout(overdue)
        clearTimeout(enough)
        resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text: Buffer.concat(parts).toString() })
      }
      incoming.on('data', (part: Buffer) => parts.push(part))
      incoming.on('end', settle).on('error', settle).on('close', settle)
    })
    if (payload === null || payload.length === 0 || !isChunked) outgoing.end(payload ?? undefined)
    else {
      const middle = Math.ceil(payload.length / 2)
      outgoing.write(payload.subarray(0, middle))
      outgoing.end(payload.subarray(middle))
    }
  })
}

/** The request in one line, to be tried again by hand. */
export function describeRequest({ method, target, headers, payload, isChunked }: Written): string {
  const body =
    payload === null ? '' : ` ${isChunked ? 'chunked ' : ''}${JSON.stringify(payload.toString().slice(0, 300))}`
  const shown = Object.entries(headers).map(([name, value]) => `${name}: ${value.slice(0, 80)}`)
  return `${method} ${target.slice(0, 300)} {${shown.join('; ')}}${body}`
}
