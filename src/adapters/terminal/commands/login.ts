import { DeviceCodeReply } from '../api-schemas.ts'
import type { Command, CommandContext } from '../command.ts'
import { CLIENT_ID, waitForApproval } from '../device-login.ts'
import { printableLine } from '../printable.ts'
import { EXIT, TerminalFailure } from '../terminal-failure.ts'

const TOKEN_SHAPE = /^dfo[ae]_[A-Za-z0-9_-]{43}$/
const SPINNER = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']
const SPINNER_STEP_S = 0.25
const MAX_HOST_NAME = 200

/** RFC 8628 as the device: shows the code, waits for the browser, keeps the token. */
export const login: Command = {
  name: 'login',
  summary: 'sign in through a browser, here or on any other device',
  usage: '',
  options: {},
  optionHelp: [],
  maxPositionals: 0,
  async carryOut(context) {
    const { io, out, server, credentials } = context
    const api = context.anonymous()
    const body = { client_id: CLIENT_ID, device_label: label(io.hostname, await credentials.labelLetters()) }
    const challenge = await api.call({ method: 'POST', path: '/oauth/device/code', body }, DeviceCodeReply)
    showChallenge(context, challenge)
    const reply = await waitForApproval(challenge, {
      api,
      now: io.now,
      pause: visiblePause(context, challenge.expires_in),
      onTrouble: out.note,
    })
    // A token is sent back as a header: one that is not the API's own shape is not kept.
    if (!TOKEN_SHAPE.test(reply.access_token)) {
      throw new TerminalFailure(EXIT.failure, 'unexpected_answer', `${server} gave no token this client understands`)
    }
    await credentials.save({ server, token: reply.access_token, expires_at: reply.expires_at })
    const { subject_type, account, workspaces, default_workspace_id, expires_at } = reply
    const email = account?.email ?? reply.subject_email ?? ''
    if (context.args.flag('json')) {
      const subject = { email, subject_type, workspaces, default_workspace_id }
      out.json({ event: 'signed_in', host: server, ...subject, expires_at }, 'compact')
      return EXIT.ok
    }
    out.line(`Signed in to ${server} as ${email}, until ${expires_at}`)
    if (context.tokenSource === 'environment') out.note('LATCHKEY_TOKEN is set and goes before this sign-in.')
    return EXIT.ok
  },
}

type Challenge = { user_code: string; verification_uri: string; verification_uri_complete?: string | undefined }

/** The complete URL is shown beside the code, never instead of it: the person compares the two (RFC 8628 §3.3.1). */
function showChallenge({ out, args, io }: CommandContext, challenge: Challenge & { expires_in: number }): void {
  const { user_code, verification_uri, verification_uri_complete, expires_in } = challenge
  if (args.flag('json')) {
    const shown = { user_code, verification_uri, verification_uri_complete, expires_in }
    out.json({ event: 'code', ...shown }, 'compact')
  }
  const letters = [...printableLine(user_code)].join(' ')
  const rule = '─'.repeat(letters.length + 6)
  for (const line of ['', `Open ${verification_uri} and enter the code`, '', `  ┌${rule}┐`]) out.note(line)
  io.stderr.write(io.stderr.isTTY ? `  │   \u001B[1m${letters}\u001B[0m   │\n` : `  │   ${letters}   │\n`)
  for (const line of [`  └${rule}┘`, `    ${user_code}`, '']) out.note(line)
  if (verification_uri_complete !== undefined) {
    out.note(`or open ${verification_uri_complete} and check that it shows this code.`)
  }
  if (!io.stderr.isTTY) out.note(`Waiting for your approval (${Math.round(expires_in / 60)} minutes at most) …`)
}

/** On a terminal the wait is drawn in small steps; elsewhere it is one silent pause. */
function visiblePause({ io, out }: CommandContext, lifeS: number): (delayS: number) => Promise<void> {
  const endsAtMs = io.now() + lifeS * 1000
  let frame = 0
  return async (delayS) => {
    if (!io.stderr.isTTY) return io.sleep(delayS * 1000, io.signal)
    const untilMs = io.now() + delayS * 1000
    while (io.now() < untilMs) {
      const leftS = Math.max(0, Math.ceil((endsAtMs - io.now()) / 1000))
      const clock = `${Math.floor(leftS / 60)}:${String(leftS % 60).padStart(2, '0')}`
      out.status(`${SPINNER[frame++ % SPINNER.length]} Waiting for your approval, ${clock} left`)
      await io.sleep(Math.min(SPINNER_STEP_S * 1000, untilMs - io.now()), io.signal)
    }
    out.status('')
  }
}

/** Printable and well under 255 characters, or the server refuses it. */
function label(hostname: string, letters: string): string {
  const name = hostname
    .replaceAll(/[\p{Cc}\p{Cf}\p{Cs}]/gu, '')
    .trim()
    .slice(0, MAX_HOST_NAME)
  return `${name === '' ? 'terminal' : name} #${letters}`
}
