import type { Timer } from '#application/ports/clock.ts'
import { isEnding, type RunEvent, type RunStep } from '#domain/run.ts'

export type Lag = { readonly events: number; readonly size: number }

/** `endSize` is the size of everything up to and with this event, so that a lag is one subtraction. */
type Kept = { readonly event: RunEvent; readonly endSize: number }

type Reader = { nextSeq: number; isCut: boolean; wake: () => void }

/** What an event costs beside its text. */
const OVERHEAD = 200
/** What the place costs where a piece of text ends. */
const END_SIZE = 8

/** The events of one run: one writer, many readers, a bounded size. */
export class RunTape {
  readonly #maxSize: number
  readonly #readers = new Set<Reader>()
  readonly #waiting = new Set<() => void>()
  #kept: Kept[] = []
  #lastSeq = 0
  #writtenSize = 0
  #droppedSize = 0
  #isOver = false
  #isCarried = false

  constructor(maxSize: number) {
    this.#maxSize = maxSize
  }

  get size(): number {
    return this.#writtenSize - this.#droppedSize
  }

  get isUnused(): boolean {
    return this.#lastSeq === 0 && this.#readers.size === 0 && !this.#isCarried
  }

  get isCarried(): boolean {
    return this.#isCarried && !this.#isOver
  }

  carry(): void {
    this.#isCarried = true
  }

  /** Null when some of it was dropped. */
  slice(fromSeq: number, maxSize: number): readonly RunEvent[] | null {
    const first = this.#kept[0]?.event.seq ?? this.#lastSeq + 1
    if (fromSeq < first) return null
    const from = fromSeq - first
    const sizeBefore = this.#kept[from - 1]?.endSize ?? this.#droppedSize
    let to = from
    while (to < this.#kept.length && (this.#kept[to]?.endSize ?? 0) - sizeBefore <= maxSize) to++
    return this.#kept.slice(from, Math.max(to, from + 1)).map(({ event }) => event)
  }

  append(step: RunStep, atMs: number): RunEvent {
    if (this.#isOver) throw new Error('nothing follows the ending of a run')
    this.#lastSeq++
    const event: RunEvent = { ...step, seq: this.#lastSeq, atMs }
    this.#writtenSize += sizeOf(step)
    this.#kept.push({ event, endSize: this.#writtenSize })
    this.#isOver = isEnding(step)
    this.#dropBeyond()
    this.#wakeReaders()
    return event
  }

  close(): void {
    this.#isOver = true
    this.#wakeReaders()
  }

  async *read(from: number | 'now', signal: AbortSignal): AsyncGenerator<RunEvent> {
    const reader: Reader = {
      nextSeq: from === 'now' ? this.#lastSeq + 1 : Math.max(1, from),
      isCut: false,
      wake: () => {},
    }
    // At once: whoever hung up may never ask for another event, and must not hold the run until then.
    const onAbort = () => this.#cut(reader)
    signal.addEventListener('abort', onAbort)
    this.#readers.add(reader)
    try {
      while (!signal.aborted && !reader.isCut) {
        const event = this.#at(reader.nextSeq)
        if (event === 'dropped') return
        if (event === null) {
          if (this.#isOver) return
          await new Promise<void>((resolve) => {
            reader.wake = resolve
          })
          continue
        }
        yield event
        reader.nextSeq++
        this.#wakeWriter()
      }
    } finally {
      signal.removeEventListener('abort', onAbort)
      this.#readers.delete(reader)
      this.#wakeWriter()
    }
  }

  /** Resolves when no reader is further behind than `lag`; those that still are after `stallMs` are cut. */
  async untilReadersAreNear(lag: Lag, stallMs: number, timer: Timer): Promise<void> {
    if (this.#farReaders(lag).length === 0) return
    let hasStalled = false
    const cancel = timer(stallMs, () => {
      hasStalled = true
      this.#wakeWriter()
    })
    while (!hasStalled && this.#farReaders(lag).length > 0) {
      await new Promise<void>((resolve) => this.#waiting.add(resolve))
    }
    cancel()
    for (const reader of this.#farReaders(lag)) this.#cut(reader)
  }

  #at(seq: number): RunEvent | 'dropped' | null {
    const first = this.#kept[0]?.event.seq ?? this.#lastSeq + 1
    if (seq < first) return 'dropped'
    return this.#kept[seq - first]?.event ?? null
  }

  #farReaders({ events, size }: Lag): Reader[] {
    const first = this.#kept[0]?.event.seq ?? this.#lastSeq + 1
    return [...this.#readers].filter(({ nextSeq }) => {
      const readSize = this.#kept[nextSeq - first - 1]?.endSize ?? this.#droppedSize
      return this.#lastSeq + 1 - nextSeq > events || (nextSeq <= this.#lastSeq && this.#writtenSize - readSize > size)
    })
  }

  #dropBeyond(): void {
    // The newest event stays, however large: without it nobody would hear of an ending. Nor does it take the place of
    // those before it, which its readers had no time to read.
    const before = this.#kept.at(-2)?.endSize ?? this.#droppedSize
    if (before - this.#droppedSize <= this.#maxSize) return
    let count = 0
    // A quarter at once, so that a full tape is not copied for every event.
    while (before - this.#droppedSize > this.#maxSize * 0.75 && count < this.#kept.length - 1) {
      this.#droppedSize = this.#kept[count]?.endSize ?? this.#droppedSize
      count++
    }
    this.#kept = this.#kept.slice(count)
    const first = this.#kept[0]?.event.seq ?? 0
    for (const reader of this.#readers) if (reader.nextSeq < first) this.#cut(reader)
  }

  #cut(reader: Reader): void {
    reader.isCut = true
    this.#readers.delete(reader)
    reader.wake()
    this.#wakeWriter()
  }

  #wakeReaders(): void {
    for (const reader of this.#readers) reader.wake()
  }

  #wakeWriter(): void {
    for (const resolve of this.#waiting) resolve()
    this.#waiting.clear()
  }
}

function sizeOf(step: RunStep): number {
  if (step.kind === 'text') return OVERHEAD + step.delta.length + (step.ends ?? []).length * END_SIZE
  // An answer may be large, and is what it was when its pieces were counted.
  if ('answer' in step) return OVERHEAD + step.answer.length + JSON.stringify({ ...step, answer: '' }).length
  return OVERHEAD + JSON.stringify(step).length
}
