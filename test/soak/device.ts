import { API } from '../http/place.ts'
import type { Browser, Reply, Send } from '../support/world.ts'
import type { Entry } from './history.ts'
import type { Random } from './random.ts'
import { aForm, breakOff, MULTIPART } from './uploads.ts'

/** What devices share. */
export type Surroundings = {
  /** Sends to one of the replicas, another one where nobody listens. @throws when nobody knows what became of it */
  send(method: string, path: string, how: Send): Promise<Reply>
  browser(): Browser
  readonly appId: string
  /** Of one of the replicas. */
  url(): string
  readonly record: (entry: Entry) => void
  /** Rows that devices hold, for one to end the session of another. */
  readonly rows: Map<string, string>
  nextFlow(): number
  isOver(): boolean
}

type Held = { readonly token: string; readonly tokenId: string }

const GIVE_UP_MS = 20_000
const PAUSE_MS = 15
const ACTIONS = {
  use: 50,
  login: 12,
  deny: 3,
  race: 3,
  run: 8,
  stream: 4,
  upload: 8,
  breakOff: 4,
  revoke: 6,
  revokeOther: 2,
  revokeByToken: 3,
}

/** One device that logs in, uses its token and gives it up, again and again, until it is over. */
export async function liveAsDevice(device: string, random: Random, around: Surroundings): Promise<void> {
  let held: Held | null = null
  const address = `10.${random.below(250)}.${random.below(250)}.`
  const from = () => ({ 'X-Forwarded-For': `${address}${1 + random.below(250)}` })

  /** One request, noted with what is known of it. */
  async function ask(
    what: Pick<Entry, 'did' | 'flow' | 'token' | 'tokenId' | 'ended'>,
    method: string,
    path: string,
    how: Send,
  ): Promise<Reply | null> {
    const startMs = performance.now()
    const note = (reply: Reply | null) => {
      const status = reply?.status ?? null
      const isDone = status !== null && status < 300
      around.record({
        ...what,
        ...(what.did === 'upload' && isDone ? { fileId: reply?.json.id } : {}),
        ...(what.did === 'poll' && isDone ? { token: reply?.json.token, tokenId: reply?.json.token_id } : {}),
        device,
        startMs,
        endMs: performance.now(),
        status,
        error: reply?.json?.error ?? null,
        outcome: isDone ? 'done' : status === null || status >= 500 ? 'unknown' : 'refused',
      })
      return reply
    }
    return around.send(method, API + path, how).then(note, (error: unknown) => {
      if (!isCutOff(error)) throw error
      return note(null)
    })
  }

  /** Asks until there is an answer that is no fault, as a client that tries again does; null when it is over. */
  async function insist(send: () => Promise<Reply | null>): Promise<Reply | null> {
    const untilMs = performance.now() + GIVE_UP_MS
    while (performance.now() < untilMs) {
      const reply = await send()
      if (reply !== null && reply.status < 500 && reply.json?.error !== 'approve_in_progress') return reply
      await pause(20 * PAUSE_MS)
    }
    return null
  }

  const decide = (did: 'approve' | 'deny', flow: number, userCode: string) =>
    ask({ did, flow }, 'POST', `/oauth/device/${did}`, {
      json: { user_code: userCode },
      headers: around.browser().headers,
    })

  async function start(): Promise<{ flow: number; userCode: string; deviceCode: string } | null> {
    const flow = around.nextFlow()
    const json = { client_id: 'difyctl', device_label: device }
    const started = await insist(() =>
      ask({ did: 'start', flow }, 'POST', '/oauth/device/code', { json, headers: from() }),
    )
    if (started?.status !== 200) return null
    return { flow, userCode: started.json.user_code, deviceCode: started.json.device_code }
  }

  async function pickUp(flow: number, deviceCode: string): Promise<void> {
    const json = { client_id: 'difyctl', device_code: deviceCode }
    // Two at once, of which one must lose.
    const polls = await Promise.all(
      [1, 2].map(() =>
        insist(() => ask({ did: 'poll', flow }, 'POST', '/oauth/device/token', { json, headers: from() })),
      ),
    )
    const picked = polls.find((reply) => reply?.status === 200)
    held = picked == null ? null : { token: picked.json.token, tokenId: picked.json.token_id }
    if (held !== null) around.rows.set(device, held.tokenId)
  }

  const actions: Readonly<Record<keyof typeof ACTIONS, (own: Held) => Promise<unknown>>> = {
    use: (own) =>
      ask({ did: 'use', ...own }, 'GET', random.pick(['/workspaces', '/account/sessions']), { token: own.token }),
    async login() {
      const begun = await start()
      if (begun === null) return
      await insist(() => decide('approve', begun.flow, begun.userCode))
      await pickUp(begun.flow, begun.deviceCode)
    },
    async deny() {
      const begun = await start()
      if (begun === null) return
      await insist(() => decide('deny', begun.flow, begun.userCode))
      const json = { client_id: 'difyctl', device_code: begun.deviceCode }
      await ask({ did: 'poll', flow: begun.flow }, 'POST', '/oauth/device/token', { json, headers: from() })
    },
    async race() {
      const begun = await start()
      if (begun === null) return
      await Promise.all([
        decide('approve', begun.flow, begun.userCode),
        decide('deny', begun.flow, begun.userCode),
        decide('approve', begun.flow, begun.userCode),
      ])
      await pickUp(begun.flow, begun.deviceCode)
    },
    run: (own) =>
      ask({ did: 'run', ...own }, 'POST', `/apps/${around.appId}/run`, {
        token: own.token,
        json: { inputs: {}, query: 'one two three', response_mode: 'blocking' },
      }),
    stream: (own) =>
      ask({ did: 'run', ...own }, 'POST', `/apps/${around.appId}/run`, {
        token: own.token,
        json: { inputs: {}, query: 'one two three', response_mode: 'streaming' },
      }),
    upload: (own) =>
      ask({ did: 'upload', ...own }, 'POST', `/apps/${around.appId}/files/upload`, {
        token: own.token,
        headers: { 'Content-Type': MULTIPART },
        body: aForm(random),
      }),
    async breakOff({ token }) {
      const startMs = performance.now()
      const path = `${API}/apps/${around.appId}/files/upload`
      await breakOff(around.url(), path, { Authorization: `Bearer ${token}` }, random)
      // Without the bearer: whether it was good is not what this one tells of.
      const endMs = performance.now()
      around.record({ did: 'breakOff', device, startMs, endMs, status: null, error: null, outcome: 'unknown' })
    },
    revoke: (own) => ask({ did: 'revoke', ...own }, 'DELETE', '/account/sessions/self', { token: own.token }),
    revokeByToken: (own) =>
      ask({ did: 'revoke', ended: own.token }, 'POST', '/oauth/revoke', {
        form: { token: own.token },
        headers: from(),
      }),
    revokeOther(own) {
      const tokenId = random.pick([...around.rows.values()])
      return ask({ did: 'revoke', tokenId, token: own.token }, 'DELETE', `/account/sessions/${tokenId}`, {
        token: own.token,
      })
    },
  }

  while (!around.isOver()) {
    const own: Held | null = held
    if (own === null) await actions.login({ token: '', tokenId: '' })
    else await actions[random.weighted(ACTIONS)](own)
    // A bearer that was refused is thrown away, now and then after some more tries.
    if (own !== null && own === held && random.chance(0.1)) held = null
    await pause(PAUSE_MS * random.unit() * 2)
  }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** What `fetch` throws when the network fails, or when it took too long. */
function isCutOff(error: unknown): boolean {
  return error instanceof TypeError || (error instanceof DOMException && error.name === 'TimeoutError')
}
