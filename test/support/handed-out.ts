import type { Reply } from './world.ts'

/** What a server handed out, or was told, that nobody else may learn. */
export type Secret = { readonly kind: string; readonly value: string }

/** Shorter ones occur by chance. */
const MIN_LENGTH = 8
/** Secrets are found by their last letters: the first of tokens are all alike. */
const KEY_LENGTH = 8

const TOLD: Readonly<Record<string, string>> = {
  token: 'bearer',
  access_token: 'bearer',
  device_code: 'device code',
  user_code: 'user code',
  csrf_token: 'CSRF token',
}
const SENT: Readonly<Record<string, string>> = { password: 'password', api_key: 'key', client_secret: 'key' }
const IN_LOCATION: Readonly<Record<string, string>> = { state: 'sealed state', sso_assertion: 'sealed assertion' }
const COOKIES = /^(?:__Host-)?(access_token|refresh_token|csrf_token|device_approval_grant|\w*state\w*)=([^;]+)/

/** Every secret of this process's tests, by the end of each of its spellings. */
const known = new Map<string, { readonly secret: Secret; readonly spelt: string }[]>()
const noted = new Set<string>()

/** Remembers `value`, so that searches find it, also as base64, hexadecimal or percent-encoded. */
export function noteSecret(kind: string, value: unknown): void {
  if (typeof value !== 'string' || value.length < MIN_LENGTH || noted.has(value)) return
  noted.add(value)
  const bytes = Buffer.from(value)
  const base64 = (encoding: 'base64' | 'base64url') =>
    bytes.subarray(0, bytes.length - (bytes.length % 3)).toString(encoding)
  const spellings = [value, base64('base64'), base64('base64url'), bytes.toString('hex'), encodeURIComponent(value)]
  for (const spelt of new Set(spellings)) {
    if (spelt.length < MIN_LENGTH) continue
    const key = spelt.slice(-KEY_LENGTH)
    known.set(key, [...(known.get(key) ?? []), { secret: { kind, value }, spelt }])
  }
}

/** Notes what the body of a request, in whichever form it was given, told its server, and what the answer handed out. */
export function noteExchange(bodies: readonly unknown[], reply: Reply): void {
  if (reply.status >= 400) return
  for (const given of bodies) {
    if (typeof given !== 'object' || given === null) continue
    for (const [name, value] of Object.entries(given)) if (SENT[name] !== undefined) noteSecret(SENT[name], value)
  }
  for (const [name, value] of Object.entries(reply.json ?? {}))
    if (TOLD[name] !== undefined) noteSecret(TOLD[name], value)
  for (const line of reply.headers.getSetCookie()) {
    const [, name = '', value = ''] = COOKIES.exec(line) ?? []
    noteSecret(`${name} cookie`, value)
  }
  const location = reply.headers.get('Location')
  if (location === null || !URL.canParse(location)) return
  for (const [name, value] of new URL(location).searchParams)
    noteSecret(IN_LOCATION[name] ?? '', IN_LOCATION[name] && value)
}

/** Which of all noted secrets stand in `text`, each once. */
export function handedOutIn(text: string): Secret[] {
  const found = new Set<Secret>()
  for (let end = KEY_LENGTH; end <= text.length; end++) {
    for (const { secret, spelt } of known.get(text.slice(end - KEY_LENGTH, end)) ?? []) {
      if (text.endsWith(spelt, end)) found.add(secret)
    }
  }
  return [...found]
}

/** Where a secret may stand all the same, and why. */
export type Allowed = { readonly place: string; readonly kind: string; readonly why: string }

export const ALLOWED: readonly Allowed[] = [
  {
    place: 'Redis',
    kind: 'user code',
    why: 'the key by which what a person types finds the flow: a quarter of an hour, and of use to the signed-in only',
  },
  {
    place: 'the database of a world',
    kind: 'password',
    why: 'worlds hash passwords at no cost, by putting a word before them; the real hasher is tried in its own suite',
  },
]

/**
 * Holds `text`, found at `place`, against every secret that was handed out so far.
 * @throws Error that names kinds and beginnings, never a secret
 */
export function expectNothingHandedOut(place: string, text: string): void {
  const leaked = handedOutIn(text).filter(
    ({ kind }) => !ALLOWED.some((one) => one.place === place && one.kind === kind),
  )
  if (leaked.length === 0) return
  const named = leaked.slice(0, 5).map(({ kind, value }) => `${kind} ${value.slice(0, 6)}…`)
  throw new Error(`E17 ${leaked.length} secrets in ${place}: ${named.join(', ')}`)
}
