import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runTerminal } from '#adapters/terminal/run-terminal.ts'
import type { TerminalIo } from '#adapters/terminal/terminal-io.ts'
import { type ApiDouble, openApiDouble } from './api-double.ts'

export const A_TOKEN = `dfoa_${'a'.repeat(43)}`
export const ANOTHER_TOKEN = `dfoa_${'b'.repeat(43)}`
export const AN_APP_ID = '01890000-0000-7000-8000-0000000000a1'
export const A_WORKSPACE_ID = '01890000-0000-7000-8000-0000000000b1'

export type Finished = { readonly code: number; readonly stdout: string; readonly stderr: string }

/** One install of the client, its clock in the test's hand, beside one double of the server. */
export type TerminalWorld = {
  readonly api: ApiDouble
  readonly configDir: string
  /** How long each wait was, in seconds. */
  readonly waitsS: readonly number[]
  /** Talks to the double; `io` replaces parts of the surroundings. */
  latchkey(words: readonly string[], io?: Partial<TerminalIo>): Promise<Finished>
  /** The words as they are, without `--host`. */
  latchkeyAt(words: readonly string[], io?: Partial<TerminalIo>): Promise<Finished>
  signedIn(): Promise<void>
  close(): Promise<void>
}

/** A fresh config directory and a fresh double. */
export async function openTerminalWorld(): Promise<TerminalWorld> {
  const api = await openApiDouble()
  const home = await mkdtemp(join(tmpdir(), 'latchkey-terminal-'))
  const configDir = join(home, 'latchkey')
  const waitsS: number[] = []
  let nowMs = Date.UTC(2026, 0, 1)
  const latchkeyAt = async (words: readonly string[], io: Partial<TerminalIo> = {}): Promise<Finished> => {
    let stdout = ''
    let stderr = ''
    const keep = (isTTY: boolean | undefined, write: (text: string) => void) => ({ isTTY: isTTY ?? false, write })
    const keptOut = keep(io.stdout?.isTTY, (text) => {
      stdout += text
    })
    const keptErr = keep(io.stderr?.isTTY, (text) => {
      stderr += text
    })
    const code = await runTerminal(words, {
      readStdin: async () => '',
      env: {},
      fetch,
      now: () => nowMs,
      sleep: async (delayMs, signal) => {
        signal.throwIfAborted()
        waitsS.push(delayMs / 1000)
        nowMs += delayMs
      },
      randomBytes: (count) => new Uint8Array(count),
      hostname: 'workbench',
      configDir,
      version: '0.0.0',
      signal: new AbortController().signal,
      ...io,
      stdout: keptOut,
      stderr: keptErr,
    })
    return { code, stdout, stderr }
  }
  const latchkey = (words: readonly string[], io?: Partial<TerminalIo>) => latchkeyAt([...words, '--host', api.url], io)
  return {
    api,
    configDir,
    waitsS,
    latchkey,
    latchkeyAt,
    async signedIn() {
      api.on('POST /oauth/device/code', { json: aChallenge() })
      api.on('POST /oauth/device/token', { json: aTokenReply() })
      const { code, stderr } = await latchkey(['login'])
      if (code !== 0) throw new Error(stderr)
      waitsS.length = 0
    },
    async close() {
      await api.close()
      await rm(home, { recursive: true })
    },
  }
}

export function aChallenge(overrides: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    device_code: `dc_${'d'.repeat(32)}`,
    user_code: 'ABCD-EFGH',
    verification_uri: 'http://127.0.0.1:5001/device',
    verification_uri_complete: 'http://127.0.0.1:5001/device?user_code=ABCD-EFGH',
    expires_in: 900,
    interval: 5,
    ...overrides,
  }
}

export function aTokenReply(overrides: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    token: A_TOKEN,
    access_token: A_TOKEN,
    token_type: 'Bearer',
    expires_in: 1_209_600,
    scope: 'full',
    expires_at: '2026-01-15T00:00:00Z',
    subject_type: 'account',
    account: { id: 'a1', email: 'ada@example.com', name: 'Ada' },
    workspaces: [{ id: A_WORKSPACE_ID, name: 'Lab', role: 'owner' }],
    default_workspace_id: A_WORKSPACE_ID,
    token_id: 't1',
    ...overrides,
  }
}

export function anAccount(overrides: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    subject_type: 'account',
    subject_email: 'ada@example.com',
    subject_issuer: 'dify:account',
    account: { id: 'a1', email: 'ada@example.com', name: 'Ada' },
    workspaces: [{ id: A_WORKSPACE_ID, name: 'Lab', role: 'owner' }],
    default_workspace_id: A_WORKSPACE_ID,
    ...overrides,
  }
}

export function anAppsPage(rows: readonly Record<string, unknown>[]): Record<string, unknown> {
  const data = rows.map((row) => ({ id: AN_APP_ID, name: 'Echo', description: '', mode: 'chat', tags: [], ...row }))
  return { page: 1, limit: 20, total: data.length, has_more: false, data }
}
