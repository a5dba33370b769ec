/** What a device asked for. */
export type Did = 'start' | 'approve' | 'deny' | 'poll' | 'use' | 'revoke' | 'run' | 'upload' | 'breakOff'

/**
 * One request and what its sender knows of it. `done` was acknowledged, `refused` had a clean 4xx and so did nothing,
 * `unknown` was cut off or had a 5xx: it may have happened. Instants are milliseconds of one monotonic clock.
 */
export type Entry = {
  readonly did: Did
  readonly startMs: number
  readonly endMs: number
  readonly outcome: 'done' | 'refused' | 'unknown'
  /** The device's label, of which an account has one live token. */
  readonly device: string
  readonly status: number | null
  readonly error: string | null
  /** Which login it belongs to: of `start`, `approve`, `deny` and `poll`. */
  readonly flow?: number
  /** The bearer that was shown, or handed out by `poll`. */
  readonly token?: string
  /** The row of that bearer, or the one that `revoke` ends. */
  readonly tokenId?: string
  /** The bearer that `revoke` ends, where it is named by itself (RFC 7009). */
  readonly ended?: string
  /** What an upload was told its file is. */
  readonly fileId?: string
}

/** When a fault was on, and whether caches were out of reach meanwhile. */
export type Disturbance = {
  readonly name: string
  readonly startMs: number
  readonly endMs: number
  readonly hitsCache: boolean
}

export type History = { readonly entries: readonly Entry[]; readonly disturbances: readonly Disturbance[] }

/** How long a cached token may outlive a revoke that could not reach the cache (ADR 0008 and its code). */
const CACHE_LIFE_MS = 61_000
/** Clients of the cache are told of its return a moment after it. */
const AFTERMATH_MS = 2_000

type Minted = {
  readonly token: string
  readonly tokenId: string
  readonly device: string
  readonly flow: number
  /** The row was written between these two. */
  readonly fromMs: number
  readonly untilMs: number
}

/** Everything in the history that must not be, one line each. */
export function violationsOf(history: History): string[] {
  return [
    ...redeemedTwice(history),
    ...decidedTwice(history),
    ...undoneRevokes(history),
    ...lostTokens(history),
    ...faults(history),
  ]
}

/** A code is redeemed once, and only one that was approved and not denied. */
function redeemedTwice(history: History): string[] {
  const polls = history.entries.filter(({ did, outcome }) => did === 'poll' && outcome === 'done')
  return [...Map.groupBy(polls, ({ flow }) => flow)].flatMap(([flow, own]) => {
    const of = indexOf(history).flows.get(flow) ?? []
    const isApproved = of.some(({ did, outcome }) => did === 'approve' && outcome !== 'refused')
    const isDenied = of.some(({ did, outcome }) => did === 'deny' && outcome === 'done')
    return [
      ...(own.length > 1 ? [`flow ${flow} was redeemed ${own.length} times`] : []),
      ...(isApproved ? [] : [`flow ${flow} was redeemed and nobody approved it: ${toldOf(of)}`]),
      ...(isDenied ? [`flow ${flow} was denied and redeemed`] : []),
    ]
  })
}

function decidedTwice({ entries }: History): string[] {
  const decided = entries.filter(({ did, outcome }) => (did === 'approve' || did === 'deny') && outcome === 'done')
  return [...Map.groupBy(decided, ({ flow }) => flow)]
    .filter(([, own]) => own.length > 1)
    .map(([flow, own]) => `flow ${flow} was decided ${own.length} times: ${own.map(({ did }) => did).join(', ')}`)
}

/** A bearer is dead from the acknowledgement of its revoke, or of the approval of the device's next login. */
function undoneRevokes(history: History): string[] {
  const { disturbances } = history
  return mintedIn(history).flatMap((minted) => {
    const kills = endsOf(history, minted).filter((one) => one.outcome === 'done' && one.startMs >= minted.untilMs)
    const uses = usesOf(history, minted).filter(({ outcome }) => outcome === 'done')
    return kills.flatMap((kill) => {
      const isReached = !disturbances.some(
        ({ hitsCache, startMs, endMs }) => hitsCache && startMs <= kill.endMs && kill.startMs <= endMs + AFTERMATH_MS,
      )
      const deadMs = kill.endMs + (isReached ? 0 : CACHE_LIFE_MS)
      return uses
        .filter((use) => use.startMs > deadMs)
        .map(
          (use) =>
            `${minted.device}: a token worked ${ago(use.startMs, kill.endMs)} after its ${kill.did} was acknowledged`,
        )
    })
  })
}

/** A bearer that nobody tried to end is good. */
function lostTokens(history: History): string[] {
  return mintedIn(history).flatMap((minted) => {
    const tries = endsOf(history, minted).filter(({ outcome }) => outcome !== 'refused')
    return usesOf(history, minted)
      .filter(({ status }) => status === 401)
      .filter((use) => !tries.some((one) => one.startMs <= use.endMs && one.endMs >= minted.fromMs))
      .map(
        (use) => `${minted.device}: a live token was refused ${ago(use.startMs, minted.untilMs)} after it was minted`,
      )
  })
}

/** A refusal says what it is: a store that is away is a 503, and nothing is a 500. */
function faults({ entries }: History): string[] {
  return entries
    .filter(({ status }) => status !== null && status >= 500 && status !== 503)
    .map(({ device, did, status, error }) => `${device}: ${did} was answered ${status} ${error}`)
}

/** What tried to end this token: a revoke, or the approval of its device's next login. */
function endsOf(history: History, { token, tokenId, device, flow, fromMs }: Minted): readonly Entry[] {
  const { revokes, approvals } = indexOf(history)
  return [
    ...new Set([...(revokes.get(tokenId) ?? []), ...(revokes.get(token) ?? [])]),
    ...(approvals.get(device) ?? []).filter((one) => one.flow !== flow && one.startMs >= fromMs),
  ]
}

function usesOf(history: History, { token }: Minted): readonly Entry[] {
  return indexOf(history).uses.get(token) ?? []
}

type By = ReadonlyMap<unknown, readonly Entry[]>
type Index = { readonly flows: By; readonly uses: By; readonly revokes: By; readonly approvals: By }

const indexes = new WeakMap<History, Index>()

/** A long history has ten thousand tokens in a hundred thousand entries: looked through for each, it would take minutes. */
function indexOf(history: History): Index {
  const known = indexes.get(history)
  if (known !== undefined) return known
  const { entries } = history
  const revokes = new Map<unknown, Entry[]>()
  for (const one of entries.filter(({ did }) => did === 'revoke')) {
    for (const what of [one.tokenId, one.ended]) {
      if (what !== undefined) revokes.set(what, [...(revokes.get(what) ?? []), one])
    }
  }
  const index = {
    flows: Map.groupBy(entries, ({ flow }) => flow),
    uses: Map.groupBy(
      entries.filter(({ did }) => did !== 'poll'),
      ({ token }) => token,
    ),
    revokes,
    approvals: Map.groupBy(
      entries.filter(({ did }) => did === 'approve'),
      ({ device }) => device,
    ),
  }
  indexes.set(history, index)
  return index
}

const mints = new WeakMap<History, readonly Minted[]>()

function mintedIn(history: History): readonly Minted[] {
  const known = mints.get(history)
  if (known !== undefined) return known
  const found = history.entries.flatMap((poll): Minted[] => {
    const { did, outcome, token, tokenId, flow, device } = poll
    if (did !== 'poll' || outcome !== 'done' || token === undefined || tokenId === undefined || flow === undefined)
      return []
    const approvals = (indexOf(history).flows.get(flow) ?? []).filter((one) => one.did === 'approve')
    const acknowledged = approvals.find((one) => one.outcome === 'done')
    const fromMs = Math.min(...approvals.map(({ startMs }) => startMs))
    return [{ token, tokenId, device, flow, fromMs, untilMs: Math.min(acknowledged?.endMs ?? poll.endMs, poll.endMs) }]
  })
  mints.set(history, found)
  return found
}

const toldOf = (entries: readonly Entry[]) =>
  entries.map(({ did, status, error, startMs, endMs }) => `${did} ${status} ${error} ${ago(endMs, startMs)}`).join(', ')

const ago = (ms: number, sinceMs: number) => `${Math.round(ms - sinceMs)} ms`
