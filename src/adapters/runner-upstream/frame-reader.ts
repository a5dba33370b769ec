import { createParser } from 'eventsource-parser'
import type { JsonObject } from '#domain/app.ts'
import { isObject, jsonIn } from '#domain/json.ts'
import { type MoreText, mouldOf, readMore, type TextMould, wordsIn } from './text-mould.ts'
import { UpstreamFailure, upstreamFailed } from './upstream-failure.ts'

/** What a stream tells: an event, or a row of events that bring more words of the same answer. */
export type Told = JsonObject | MoreText

/** In a row: a server whose events are never alike is not tried for ever. */
const MAX_MOULDS_IN_VAIN = 16

/**
 * Reads the text of a stream as it comes, cut anywhere. Words of an answer are most of it, and each event of them is like
 * the one before: those are read by the mould of the last one, at a fraction of the cost, and all others by a parser.
 */
export class FrameReader {
  #told: (Told | UpstreamFailure)[] = []
  #mould: TextMould | null = null
  #isMouldUsed = true
  #mouldsInVain = 0
  /** Whether the parser has seen the end of an event and nothing since, so that it misses nothing of the next. */
  #isBetween = true
  /** Characters since the last event. */
  #held = 0
  readonly #parser = createParser({
    onEvent: ({ data }) => {
      this.#held = 0
      if (data !== '') this.#told.push(frameOf(data))
    },
    // A line that belongs to no field is no event either; pings are such lines to some servers.
    onError() {},
  })

  /** Characters of the event that is not complete yet. */
  get held(): number {
    return this.#held
  }

  /** What is complete by now. A failure is the last that counts. */
  read(text: string): readonly (Told | UpstreamFailure)[] {
    this.#told = []
    this.#held += text.length
    let at = 0
    while (at < text.length) {
      const end = this.#isBetween && this.#mould !== null ? this.#readMore(text, at, this.#mould) : at
      at = end > at ? end : this.#parseOne(text, at)
    }
    return this.#told
  }

  #readMore(text: string, at: number, mould: TextMould): number {
    try {
      const { more, end } = readMore(text, at, mould)
      if (end === at) return at
      this.#told.push(more)
      this.#isMouldUsed = true
      this.#held = 0
      return end
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error
      // The parser finds which it is; one such event must not be looked for again and again.
      this.#mould = null
      this.#mouldsInVain = MAX_MOULDS_IN_VAIN
      return at
    }
  }

  /** Up to the next empty line, or all there is. */
  #parseOne(text: string, at: number): number {
    const gap = text.indexOf('\n\n', at)
    const end = gap < 0 ? text.length : gap + 2
    const block = text.slice(at, end)
    const before = this.#told.length
    this.#parser.feed(block)
    const [frame, ...others] = this.#told.slice(before)
    const isWhole = this.#isBetween && gap >= 0
    this.#isBetween = gap >= 0
    if (isWhole && frame !== undefined && others.length === 0) this.#learn(block, frame)
    return end
  }

  #learn(block: string, told: Told | UpstreamFailure): void {
    if (this.#mouldsInVain >= MAX_MOULDS_IN_VAIN || told instanceof UpstreamFailure) return
    const event = told as JsonObject // the parser tells nothing else
    if (wordsIn(event) === null) return
    const mould = mouldOf(block, event)
    this.#mouldsInVain = mould !== null && this.#isMouldUsed ? 0 : this.#mouldsInVain + 1
    this.#isMouldUsed = false
    this.#mould = mould
  }
}

function frameOf(data: string): JsonObject | UpstreamFailure {
  const json = jsonIn(data)
  return isObject(json) ? json : upstreamFailed('The server of the app sent something that is no event.')
}
