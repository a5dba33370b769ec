import { EgressFailure, type EgressReply, type EgressRequest, type HttpEgress } from '../egress/http-egress.ts'
import { ToolFailure } from './tool.ts'

const CONNECT_MS = 10_000
const TOTAL_MS = 60_000
const MAX_BYTES = 1024 * 1024
/** Of an answer that is repeated in a message. */
const MAX_QUOTED = 300

type Asked = Pick<EgressRequest, 'method' | 'url' | 'headers'> & Partial<Pick<EgressRequest, 'body' | 'secretHeaders'>>

/**
 * Sends a tool's request through the guard; the answer is one of success.
 * @throws ToolFailure
 */
export async function sendFor(egress: HttpEgress, signal: AbortSignal, asked: Asked): Promise<EgressReply> {
  const limits = { connectMs: CONNECT_MS, totalMs: TOTAL_MS, maxBytes: MAX_BYTES }
  try {
    const reply = await egress.request({ body: null, secretHeaders: [], ...asked, ...limits }, signal)
    if (reply.status >= 200 && reply.status < 300) return reply
    const said = replyText(reply).replaceAll(/\s+/g, ' ').trim().slice(0, MAX_QUOTED)
    throw new ToolFailure(`the server answered with status ${reply.status}${said === '' ? '' : `: ${said}`}`)
  } catch (error) {
    if (error instanceof EgressFailure) throw new ToolFailure(error.message, { cause: error })
    throw error
  }
}

/** What a reply says, as UTF-8. */
export function replyText({ body }: EgressReply): string {
  return new TextDecoder().decode(body)
}
