const OPEN = '<think>'
const CLOSE = '</think>'

/** What of an answer is meant for the reader, and what the model thought on the way. */
export type Split = { readonly text: string; readonly reasoning: string }

/** Splits an answer at its `<think>` tags while it comes; a tag may be cut anywhere. */
export type ThinkingSplitter = {
  readonly take: (delta: string) => Split
  /** What was held back because it might have become a tag. */
  readonly rest: () => Split
}

/** A splitter at the beginning of an answer. */
export function createThinkingSplitter(): ThinkingSplitter {
  let pending = ''
  let isThinking = false
  let hasText = false

  function told(piece: string): Split {
    if (isThinking) return { text: '', reasoning: piece }
    // The line breaks that models put between their thoughts and the answer belong to neither.
    const text = hasText ? piece : piece.trimStart()
    hasText ||= text !== ''
    return { text, reasoning: '' }
  }

  return {
    take(delta) {
      pending += delta
      let [text, reasoning] = ['', '']
      for (;;) {
        const tag = isThinking ? CLOSE : OPEN
        const at = pending.indexOf(tag)
        const end = at < 0 ? pending.length - heldBack(pending, tag) : at
        const piece = told(pending.slice(0, end))
        text += piece.text
        reasoning += piece.reasoning
        pending = pending.slice(at < 0 ? end : at + tag.length)
        if (at < 0) return { text, reasoning }
        isThinking = !isThinking
      }
    },
    rest() {
      const piece = told(pending)
      pending = ''
      return piece
    },
  }
}

/** A whole answer, split. */
export function splitThinking(answer: string): Split {
  const splitter = createThinkingSplitter()
  const [first, last] = [splitter.take(answer), splitter.rest()]
  return { text: first.text + last.text, reasoning: first.reasoning + last.reasoning }
}

/** How many characters at the end may be the beginning of the tag. */
function heldBack(text: string, tag: string): number {
  for (let length = Math.min(tag.length - 1, text.length); length > 0; length--) {
    if (text.endsWith(tag.slice(0, length))) return length
  }
  return 0
}
