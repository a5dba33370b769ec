import { jsonIn } from '#domain/json.ts'
import { reasonOf } from './finding.ts'

/** What an address answered; `fault` is why it did not, which the key can be to blame for (`isOfKey`). */
export type Answer =
  | {
      readonly ok: true
      readonly status: number
      readonly headers: Headers
      readonly body: unknown
      readonly text: string
    }
  | { readonly ok: false; readonly fault: string; readonly isOfKey: boolean }

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
    if (error instanceof Error && UNFIT_KEY.test(error.message)) {
      return { ok: false, fault: 'has a key with a character that no request can carry', isOfKey: true }
    }
    return { ok: false, fault: faultOf(error, key), isOfKey: false }
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

/** What `fetch` does not even send, in whose words the address and the key are quoted. */
const UNSENT: readonly (readonly [theirs: RegExp, ours: string])[] = [
  [/^bad port$/, 'its address has a port of another protocol, to which no request may go'],
  [/includes credentials/, 'its address has a user name or a password, with which no request is sent'],
]

const UNFIT_KEY = /invalid header value|ByteString/

/** `fetch` hides the cause one level down. */
function faultOf(error: unknown, key: string | null): string {
  if (!(error instanceof Error)) return 'cannot be reached'
  if (error.name === 'TimeoutError') return `no answer within ${TIMEOUT_MS / 1000} s`
  const cause = error.cause instanceof Error ? error.cause : error
  const code = 'code' in cause ? String(cause.code) : ''
  if (code !== '') return `cannot be reached: ${code}`
  const unsent = UNSENT.find(([theirs]) => theirs.test(cause.message))
  if (unsent !== undefined) return `cannot be reached: ${unsent[1]}`
  return `cannot be reached: ${reasonOf(new Error(cause.message), [key]).replace(/^Error: /, '')}`
}
