import * as v from 'valibot'
import type { ApiClient } from '../api-client.ts'
import { findAppId } from '../app-lookup.ts'
import type { Command, CommandContext } from '../command.ts'
import {
  advance,
  asBlockingBody,
  CONNECTION_LOST,
  EMPTY_TRANSCRIPT,
  failureOf,
  RunFrame,
  type RunTranscript,
} from '../run-events.ts'
import { uploadFiles } from '../run-files.ts'
import { readInputs } from '../run-inputs.ts'
import { createRunPrinter, type RunPrinter } from '../run-printer.ts'
import { readSse } from '../sse-reader.ts'
import { EXIT, type ExitCode, TerminalFailure, usageFailure } from '../terminal-failure.ts'

const STOP_TIMEOUT_MS = 3000

/**
 * Runs an app. The wire is always the stream, also without `--stream`: it names the task that Ctrl-C must stop, and its
 * heartbeat outlives the idle limits between here and the server, which a long blocking call does not.
 */
export const run: Command = {
  name: 'run',
  summary: 'run an app',
  usage: 'APP [QUERY] [--input k=v]… [--inputs JSON|@FILE|-] [--file [NAME=]PATH]… [--conversation ID] [--stream]',
  options: {
    input: { type: 'string', multiple: true },
    inputs: { type: 'string' },
    file: { type: 'string', multiple: true },
    conversation: { type: 'string' },
    workspace: { type: 'string' },
    stream: { type: 'boolean' },
  },
  optionHelp: [
    ['APP', 'an id, or a name that only one app carries'],
    ['QUERY', 'what to say to it; chat apps want one'],
    ['--input k=v', 'one input, as often as needed; goes before --inputs'],
    ['--inputs JSON', 'all inputs as one JSON object, or @FILE, or - for stdin'],
    ['--file NAME=PATH', 'upload a file as this input; NAME[]=PATH for each of a list'],
    ['--file PATH', 'upload a file beside the inputs'],
    ['--conversation ID', 'go on with this conversation'],
    ['--workspace ID', 'where to look the name up'],
    ['--stream', 'print the answer as it comes; with --json one event a line'],
  ],
  maxPositionals: 2,
  async carryOut(context) {
    const { args, io, signedIn } = context
    const [app, query] = args.positionals
    if (app === undefined) throw usageFailure('which app? latchkey run APP')
    const inputs = await readInputs(args, io.readStdin)
    const api = signedIn()
    const appId = await findAppId(api, app, args.text('workspace'))
    const files = await uploadFiles(api, appId, args.texts('file'), inputs)
    const body = { ...files, query, conversation_id: args.text('conversation'), response_mode: 'streaming' }
    const printer = createRunPrinter(context.out, args)
    return conclude(context, printer, await follow(context, printer, api, appId, body))
  },
}

async function follow(
  context: CommandContext,
  printer: RunPrinter,
  api: ApiClient,
  appId: string,
  body: unknown,
): Promise<RunTranscript> {
  let transcript = EMPTY_TRANSCRIPT
  try {
    for await (const data of readSse(await api.stream({ method: 'POST', path: `/apps/${appId}/run`, body }))) {
      const frame = parseFrame(data)
      transcript = advance(transcript, frame)
      printer.frame(frame)
    }
    return transcript
  } catch (error) {
    if (context.io.signal.aborted) await askToStop(context, api, appId, transcript)
    if (error instanceof TerminalFailure || context.io.signal.aborted) throw error
    // What the body of a broken connection throws has no name of its own.
    throw new TerminalFailure(EXIT.failure, 'connection_lost', CONNECTION_LOST, { cause: error })
  } finally {
    printer.close()
  }
}

function parseFrame(data: string): RunFrame {
  const frame = v.safeParse(v.pipe(v.string(), v.parseJson(), RunFrame), data)
  if (frame.success) return frame.output
  throw new TerminalFailure(
    EXIT.failure,
    'unexpected_answer',
    'the server sent an event this client does not understand',
  )
}

/** Best effort, and with a signal of its own: the io's has just been aborted. */
async function askToStop({ out }: CommandContext, api: ApiClient, appId: string, so: RunTranscript): Promise<void> {
  const taskId = so.first?.task_id
  if (taskId === undefined) return
  const call = { method: 'POST', path: `/apps/${appId}/tasks/${encodeURIComponent(taskId)}/stop` } as const
  try {
    await api.call(call, v.unknown(), AbortSignal.timeout(STOP_TIMEOUT_MS))
    out.note('Stopped.')
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'unknown'
    out.note(`The server could not be told to stop (${reason}); the run may go on there.`)
  }
}

function conclude({ args, out }: CommandContext, printer: RunPrinter, transcript: RunTranscript): ExitCode {
  const failure = failureOf(transcript)
  if (args.flag('json') && !args.flag('stream') && transcript.error === null) out.json(asBlockingBody(transcript))
  else if (!args.flag('json')) printer.result(transcript)
  if (failure !== null) throw new TerminalFailure(EXIT.failure, transcript.error?.code ?? 'run_failed', failure)
  if (transcript.workflowFinished?.data?.status === 'partial-succeeded') out.note('Some nodes failed; the run went on.')
  if (transcript.paused) out.note('The run waits for a person to answer its form.')
  return EXIT.ok
}
