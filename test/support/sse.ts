/** One frame of an event stream: the JSON of its `data`, or the name of an event without data. */
// biome-ignore lint/suspicious/noExplicitAny: a test asserts the shape it expects
export type Frame = any

/** The frames of a complete stream; a ping is `{ event: 'ping' }`. */
export function framesIn(text: string): Frame[] {
  return text
    .split('\n\n')
    .filter((block) => block !== '')
    .map((block) => {
      if (block === 'event: ping') return { event: 'ping' }
      if (!block.startsWith('data: ')) throw new Error(`not a frame: ${block}`)
      return JSON.parse(block.slice('data: '.length))
    })
}

/** Reads an open stream frame by frame. */
export async function* readFrames(response: Response): AsyncGenerator<Frame> {
  let rest = ''
  const decoder = new TextDecoder()
  for await (const chunk of response.body ?? []) {
    rest += decoder.decode(chunk, { stream: true })
    const end = rest.lastIndexOf('\n\n')
    if (end === -1) continue
    yield* framesIn(rest.slice(0, end + 2))
    rest = rest.slice(end + 2)
  }
}

/** The next frame that is no ping. */
export async function nextFrame(frames: AsyncGenerator<Frame>): Promise<Frame> {
  for (;;) {
    const { value, done } = await frames.next()
    if (done === true) throw new Error('the stream ended')
    if (value.event !== 'ping') return value
  }
}

/** What is left of a stream, but for pings. */
export async function restOf(frames: AsyncGenerator<Frame>): Promise<Frame[]> {
  const seen: Frame[] = []
  for await (const frame of frames) if (frame.event !== 'ping') seen.push(frame)
  return seen
}
