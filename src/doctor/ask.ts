import { jsonIn } from '#domain/json.ts'
import { reasonOf } from './finding.ts'

/** What an address answered; `fault` is why it did not. */
export type Answer =
  | {
      readonly ok: true
      readonly status: number
      readonly headers: Headers
      readonly body: unknown
      readonly text: string
    }
  | { readonly ok: false; readonly fault: string }

/** How it is asked: directly and with nothing more, when absent. */
type Way = { readonly send?: typeof fetch | undefined; readonly headers?: Readonly<Record<string, string>> }

const TIMEOUT_MS = 5_000
const MAX_BYTES = 4 * 1024 * 1024

/** GETs once, following no redirect (a key must not travel on) and reading no more than a document of that kind holds. */
export async function ask(url: string, key: string | null, { send = fetch, headers = {} }: Way = {}): Promise<Answer> {
  try {
    const answer = await send(url, {
      headers: { accept: 'application/json', ...headers, ...(key === null ? {} : { authorization: `Bearer ${key}` }) },
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    const text = await readSome(answer)
    return { ok: true, status: answer.status, headers: answer.headers, text, body: jsonIn(text) ?? null }
  } catch (error) {
    return { ok: false, fault: faultOf(error, key) }
  }
}

async function readSome(answer: Response): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of answer.body ?? []) {
    text += decoder.decode(chunk, { stream: true })
    if (text.length > MAX_BYTES) break
  }
  return text
}

/** `fetch` hides the cause one level down. */
function faultOf(error: unknown, key: string | null): string {
  if (!(error instanceof Error)) return 'cannot be reached'
  if (error.name === 'TimeoutError') return `no answer within ${TIMEOUT_MS / 1000} s`
  const cause = error.cause instanceof Error ? error.cause : error
  const code = 'code' in cause ? String(cause.code) : ''
  if (code !== '') return `cannot be reached: ${code}`
  return `cannot be reached: ${reasonOf(new Error(cause.message), [key]).replace(/^Error: /, '')}`
}
