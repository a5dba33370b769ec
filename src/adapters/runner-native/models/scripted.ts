import type { Timer } from '#application/ports/clock.ts'
import type { ModelClient, ModelMessage } from './model-client.ts'

const COMMAND = 'Reply exactly: '
const WORDS_A_CHUNK = 3

/**
 * A deterministic model for demonstrations and tests: it says what follows the last "Reply exactly: " in the prompt,
 * else what the user said last. `latencyMs` passes before every chunk.
 */
export function createScriptedModel(latencyMs: number, timer: Timer): ModelClient {
  return {
    canRun: () => true,
    async *stream({ messages }, signal) {
      const reply = replyTo(messages)
      for (const delta of chunksOf(reply)) {
        if (latencyMs > 0) await pass(latencyMs, timer, signal)
        if (signal.aborted) return
        yield { kind: 'text', delta }
      }
      const promptTokens = messages.reduce((sum, { text }) => sum + wordsIn(text), 0)
      const completionTokens = wordsIn(reply)
      yield { kind: 'finish', reason: 'stop' }
      yield {
        kind: 'usage',
        usage: { promptTokens, completionTokens, totalTokens: promptTokens + completionTokens },
      }
    },
  }
}

function replyTo(messages: readonly ModelMessage[]): string {
  const commanding = messages.findLast(({ text }) => text.includes(COMMAND))
  if (commanding !== undefined) {
    const after = commanding.text.slice(commanding.text.lastIndexOf(COMMAND) + COMMAND.length)
    return (after.split('\n')[0] ?? '').trimEnd()
  }
  return messages.findLast(({ role }) => role === 'user')?.text.trim() ?? ''
}

function chunksOf(reply: string): readonly string[] {
  const words = reply.match(/\s*\S+\s*/g) ?? (reply === '' ? [] : [reply])
  const chunks: string[] = []
  for (let at = 0; at < words.length; at += WORDS_A_CHUNK) chunks.push(words.slice(at, at + WORDS_A_CHUNK).join(''))
  return chunks
}

function wordsIn(text: string): number {
  return text.match(/\S+/g)?.length ?? 0
}

function pass(delayMs: number, timer: Timer, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const stop = () => {
      cancel()
      resolve()
    }
    const cancel = timer(delayMs, () => {
      signal.removeEventListener('abort', stop)
      resolve()
    })
    signal.addEventListener('abort', stop, { once: true })
  })
}
