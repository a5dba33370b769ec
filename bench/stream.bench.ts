import { quantile } from './support/numbers.ts'
import type { ServerProcess } from './support/server-process.ts'

/** Milliseconds: the middle and the slowest tenth. */
export type Delay = { readonly median: number; readonly p90: number }
export type StreamFigures = { readonly firstText: Delay; readonly workflowStarted: Delay }

/** What the scripted model waits before its first chunk; it is taken off what is measured. */
export const MODEL_LATENCY_MS = 100

const RUNS = 30
const WARM_UP_RUNS = 5

/** How long after the model's first chunk a chat's first text arrives, and how soon a graph says that it started. */
export async function measureStreams(
  latchkey: ServerProcess,
  apps: { readonly chat: string; readonly workflow: string },
  tokens: readonly string[],
): Promise<StreamFigures> {
  const firstText: number[] = []
  const workflowStarted: number[] = []
  for (let run = 0; run < WARM_UP_RUNS + RUNS; run++) {
    const ask = (app: string, body: object) => ({ latchkey, app, body, bearer: tokens[run % tokens.length] ?? '' })
    const text = await msUntil('message', ask(apps.chat, { inputs: {}, query: 'one two three four five six' }))
    const started = await msUntil('workflow_started', ask(apps.workflow, { inputs: { name: 'Ada' } }))
    if (run < WARM_UP_RUNS) continue
    firstText.push(text - MODEL_LATENCY_MS)
    workflowStarted.push(started)
  }
  return { firstText: delayOf(firstText), workflowStarted: delayOf(workflowStarted) }
}

type Asked = {
  readonly latchkey: ServerProcess
  readonly app: string
  readonly body: object
  readonly bearer: string
}

/** Milliseconds from the request to the first frame of that event; the stream is then read to its end. */
async function msUntil(event: string, { latchkey, app, body, bearer }: Asked): Promise<number> {
  const sentAtMs = performance.now()
  const response = await fetch(`${latchkey.origin}/openapi/v1/apps/${app}/run`, {
    method: 'POST',
    headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
    body: JSON.stringify({ ...body, response_mode: 'streaming' }),
  })
  if (response.status !== 200 || response.body === null) {
    throw new Error(`run answered ${response.status}: ${await response.text()}`)
  }
  let seen = ''
  let arrivedAtMs: number | null = null
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    seen += chunk
    if (arrivedAtMs === null && seen.includes(`"event":"${event}"`)) arrivedAtMs = performance.now()
  }
  if (arrivedAtMs === null) throw new Error(`no ${event} in ${seen}`)
  return arrivedAtMs - sentAtMs
}

function delayOf(values: readonly number[]): Delay {
  const sorted = values.toSorted((a, b) => a - b)
  return { median: quantile(sorted, 0.5), p90: quantile(sorted, 0.9) }
}
