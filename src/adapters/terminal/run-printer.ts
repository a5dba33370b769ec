import type { Args } from './args.ts'
import type { Output } from './output.ts'
import type { RunFrame, RunTranscript } from './run-events.ts'

/** Shows a run while it goes, and what it came to. */
export type RunPrinter = {
  frame(frame: RunFrame): void
  /** Ends a line that was being written. */
  close(): void
  result(transcript: RunTranscript): void
}

/** With `--json --stream` every event is one line; with `--stream` text goes out as it comes; else the end is awaited. */
export function createRunPrinter(out: Output, args: Args): RunPrinter {
  const streaming = args.flag('stream')
  let midLine = false
  let written = ''
  const write = (text: string) => {
    if (text === '') return
    out.raw(text)
    midLine = !text.endsWith('\n')
    written += text
  }
  const close = () => {
    if (midLine) out.raw('\n')
    midLine = false
    out.status('')
  }
  return {
    close,
    frame(frame) {
      if (args.flag('json')) {
        if (streaming) out.json(frame, 'compact')
        return
      }
      if (frame.event === 'node_started') {
        const step = `${frame.data?.title ?? frame.data?.node_type ?? 'a node'}`
        if (!midLine) out.status(`… ${step}`)
        return
      }
      if (!streaming) return
      if (frame.event === 'message' || frame.event === 'agent_message') write(frame.answer ?? '')
      if (frame.event === 'text_chunk') write(frame.data?.text ?? '')
      if (frame.event === 'message_replace') {
        close()
        out.note('The answer was replaced by:')
        write(frame.answer ?? '')
      }
    },
    result(transcript) {
      const { messageEnd, workflowFinished, answer } = transcript
      if (messageEnd !== null) {
        if (!streaming) write(answer)
        close()
        if (messageEnd.conversation_id !== undefined) {
          out.note(`To go on: --conversation ${messageEnd.conversation_id}`)
        }
        return
      }
      const outputs = Object.entries(workflowFinished?.data?.outputs ?? {})
      const [only, ...others] = outputs
      if (only === undefined) return
      // A workflow may have streamed as text what it now returns as its outputs.
      const streamed = written !== '' && outputs.every(([, value]) => isPlain(value) && written.includes(String(value)))
      if (streamed) return
      if (others.length === 0 && typeof only[1] === 'string') write(only[1])
      else out.json(Object.fromEntries(outputs))
      close()
    },
  }
}

function isPlain(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
}
