import { connect, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { startEndlessModel } from './support/endless-model.ts'
import { importApp, type Settings, startLatchkey } from './support/latchkey.ts'
import { quantile } from './support/numbers.ts'
import type { ServerProcess } from './support/server-process.ts'

export type BusyFigures = {
  readonly streams: number
  /** Milliseconds that `/_health` takes meanwhile. */
  readonly health: { readonly p50Ms: number; readonly p99Ms: number }
  /** Frames a second, over all streams. */
  readonly framesPerSecond: number
  /** What a model would say to a caller that does not read, how much was taken of it, and what it cost in memory. */
  readonly slowReader: { readonly offeredMb: number; readonly takenMb: number; readonly grownMb: number }
}

const STREAMS = 200
const SECONDS = 8
const CHUNK_MS = 50
const PROBE_MS = 20
const OFFERED_BYTES = 200_000_000
const STALLED_S = 8
const WARM_UP_BYTES = 20_000_000

/**
 * Whether many streams at once leave the server time for others, and whether a reader that does not read costs memory.
 * Each stream is a chat whose model says something every 50 ms.
 */
export async function measureBusy(settings: Settings, tokens: readonly string[]): Promise<BusyFigures> {
  const app = importApp(settings, 'assistant-chat.yml')
  const scripted = await startLatchkey({ ...settings, MODEL_BASE_URL: `scripted:?latency_ms=${CHUNK_MS}` })
  const streaming = await whileStreaming(scripted, app, tokens).finally(() => scripted.stop())
  return { ...streaming, slowReader: await measureSlowReader(settings, app, tokens[0] ?? '') }
}

async function whileStreaming(latchkey: ServerProcess, app: string, tokens: readonly string[]) {
  const words = Array.from({ length: (3 * 2 * SECONDS * 1000) / CHUNK_MS }, (_, at) => `word${at}`).join(' ')
  const leave = new AbortController()
  let frames = 0
  const streams = Array.from({ length: STREAMS }, async (_, at) => {
    const response = await fetch(`${latchkey.origin}/openapi/v1/apps/${app}/run`, {
      ...runRequest(tokens[at % tokens.length] ?? '', words),
      signal: leave.signal,
    })
    if (response.status !== 200 || response.body === null) throw new Error(`run answered ${response.status}`)
    for await (const chunk of response.body.pipeThrough(new TextDecoderStream()))
      frames += chunk.split('data: ').length - 1
  })
  const ended = Promise.allSettled(streams)
  // All have begun, and what is compiled on the way is.
  await pause(3_000)
  const [before, startedAtMs, delays] = [frames, performance.now(), [] as number[]]
  while (performance.now() < startedAtMs + SECONDS * 1000) {
    const askedAtMs = performance.now()
    const response = await fetch(`${latchkey.origin}/openapi/v1/_health`)
    await response.arrayBuffer()
    delays.push(performance.now() - askedAtMs)
    await pause(PROBE_MS)
  }
  const framesPerSecond = (frames - before) / ((performance.now() - startedAtMs) / 1000)
  leave.abort()
  for (const one of await ended) if (one.status === 'rejected' && one.reason?.name !== 'AbortError') throw one.reason
  const sorted = delays.toSorted((a, b) => a - b)
  return { streams: STREAMS, framesPerSecond, health: { p50Ms: quantile(sorted, 0.5), p99Ms: quantile(sorted, 0.99) } }
}

/** A model that would say 200 MB, and a caller that takes none of it. */
async function measureSlowReader(settings: Settings, app: string, token: string): Promise<BusyFigures['slowReader']> {
  const model = await startEndlessModel(OFFERED_BYTES)
  const latchkey = await startLatchkey({ ...settings, MODEL_BASE_URL: model.url, MODEL_API_KEY: 'none' })
  try {
    await readSome(latchkey, app, token)
    const [before, saidBefore] = [latchkey.residentMb(), model.saidBytes()]
    const socket = askWithoutReading(latchkey, app, token)
    let most = before
    for (const untilMs = Date.now() + STALLED_S * 1000; Date.now() < untilMs; await pause(100)) {
      most = Math.max(most, latchkey.residentMb())
    }
    socket.destroy()
    const takenBytes = model.saidBytes() - saidBefore
    if (takenBytes === 0) throw new Error('the model was not asked')
    return { offeredMb: OFFERED_BYTES / 1e6, takenMb: takenBytes / 1e6, grownMb: most - before }
  } finally {
    await latchkey.stop()
    await model.close()
  }
}

/** What the first streams of a process cost is no reader's fault. */
async function readSome(latchkey: ServerProcess, app: string, token: string): Promise<void> {
  const leave = new AbortController()
  const url = `${latchkey.origin}/openapi/v1/apps/${app}/run`
  const response = await fetch(url, { ...runRequest(token, 'go on'), signal: leave.signal })
  let seen = 0
  for await (const chunk of response.body ?? []) {
    seen += chunk.length
    if (seen > WARM_UP_BYTES) break
  }
  leave.abort()
  await pause(1_000)
}

function askWithoutReading(latchkey: ServerProcess, app: string, token: string): Socket {
  const { hostname, port } = new URL(latchkey.origin)
  const { method, headers, body } = runRequest(token, 'go on')
  const head = Object.entries({ ...headers, host: hostname, 'content-length': String(body.length) })
  const lines = [`${method} /openapi/v1/apps/${app}/run HTTP/1.1`, ...head.map(([name, value]) => `${name}: ${value}`)]
  const socket = connect(Number(port), hostname)
  socket.pause()
  socket.write(`${lines.join('\r\n')}\r\n\r\n${body}`)
  return socket
}

function runRequest(token: string, query: string) {
  return {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ inputs: {}, query, response_mode: 'streaming' }),
  } as const
}
