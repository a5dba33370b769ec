import type { StartedRun } from '#application/use-cases/run-app.ts'
import type { RunEvent } from '#domain/run.ts'
import { type Author, type Frame, makeFrameTeller } from './run-frames.ts'
import { eventText } from './sse.ts'

/** Stands for words in a frame before they are known; names come after it, or are ours. */
const MARK = '\u007f'

/** A run's events as its mode tells them in a stream, each with its text, or several that came at once. */
export async function* eventsOf(run: StartedRun, author: Author): AsyncIterable<string> {
  const tell = makeFrameTeller(run, author)
  for await (const event of run.events) {
    const isRow = event.kind === 'text' && event.ends !== undefined
    const text = isRow ? rowOf(event, event.ends, tell) : tell(event).map(eventText).join('')
    if (text !== '') yield text
  }
}

type Text = Extract<RunEvent, { kind: 'text' }>

/** An event for each piece of the text. They differ in nothing else, so one is written, and then only the pieces. */
function rowOf(text: Text, ends: readonly number[], tell: (event: RunEvent) => Frame[]): string {
  const frames = tell({ ...text, delta: MARK })
  const [before = '', ...rest] = frames.map(eventText).join('').split(MARK)
  const between = rest.join(MARK) + before
  const row = (written: string[]) => {
    // Within the pieces, for around them it would all be copied again.
    written[0] = before + (written[0] ?? '')
    written.push(`${written.pop()}${rest.join(MARK)}`)
    return written.join(between)
  }
  // Nothing in it has to be escaped, not even where two pieces share a letter that is a pair (UTF-16).
  const isPlain = JSON.stringify(text.delta).length === text.delta.length + 2
  const plain = isPlain ? row(piecesOf(text.delta, ends)) : ''
  if (isPlain && plain.isWellFormed()) return plain
  return row(piecesOf(text.delta, ends).map((piece) => JSON.stringify(piece).slice(1, -1)))
}

function piecesOf(text: string, ends: readonly number[]): string[] {
  let from = 0
  return ends.map((end) => {
    const piece = text.slice(from, end)
    from = end
    return piece
  })
}
