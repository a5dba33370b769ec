import { join } from 'node:path'
import * as v from 'valibot'
import { createPrivateFile, readPrivateFile, removePrivateFile, replacePrivateFile } from './private-file.ts'
import { EXIT, TerminalFailure } from './terminal-failure.ts'

const Credential = v.object({ server: v.string(), token: v.string(), expires_at: v.string() })
const Install = v.object({ label_letters: v.pipe(v.string(), v.regex(/^[A-Z]{4}$/)) })
const LastServer = v.object({ server: v.string() })
export type Credential = v.InferOutput<typeof Credential>

/** What this install keeps between commands: one token a server, in files only the user can read. */
export type CredentialStore = {
  find(server: string): Promise<Credential | null>
  /** Also makes it the server that commands without `--host` talk to. */
  save(credential: Credential): Promise<void>
  forget(server: string): Promise<void>
  lastServer(): Promise<string | null>
  /** Four letters of this install's own: two installs with one label would sign each other out. */
  labelLetters(): Promise<string>
}

/** Credentials under `configDir`, one file a server, so that two logins never overwrite each other's. */
export function createCredentialStore(configDir: string, randomBytes: (count: number) => Uint8Array): CredentialStore {
  const pathOf = (server: string) => join(configDir, 'hosts', `${encodeURIComponent(server)}.json`)
  const installPath = join(configDir, 'install.json')
  const lastServerPath = join(configDir, 'last-host.json')
  return {
    find: (server) => readJson(pathOf(server), Credential),
    async save(credential) {
      await replacePrivateFile(pathOf(credential.server), JSON.stringify(credential))
      await replacePrivateFile(lastServerPath, JSON.stringify({ server: credential.server }))
    },
    forget: (server) => removePrivateFile(pathOf(server)),
    async lastServer() {
      return (await readJson(lastServerPath, LastServer))?.server ?? null
    },
    async labelLetters() {
      const kept = await readJson(installPath, Install)
      if (kept !== null) return kept.label_letters
      await createPrivateFile(installPath, JSON.stringify({ label_letters: fourLetters(randomBytes) }))
      const settled = await readJson(installPath, Install)
      if (settled === null) throw unreadable(installPath)
      return settled.label_letters
    },
  }
}

async function readJson<S extends v.GenericSchema>(path: string, schema: S): Promise<v.InferOutput<S> | null> {
  const text = await readPrivateFile(path)
  if (text === null) return null
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw unreadable(path, { cause: error })
  }
  const parsed = v.safeParse(schema, value)
  if (!parsed.success) throw unreadable(path)
  return parsed.output
}

function unreadable(path: string, options?: ErrorOptions): TerminalFailure {
  return new TerminalFailure(
    EXIT.failure,
    'config_unreadable',
    `${path} is damaged: remove it and sign in again`,
    options,
  )
}

function fourLetters(randomBytes: (count: number) => Uint8Array): string {
  return Array.from(randomBytes(4), (byte) => String.fromCharCode(65 + (byte % 26))).join('')
}
