/** What RFC 8628 and this server's promises say of one flow, in as few words as possible: the yardstick of E30. */
export type ModelFlow = {
  readonly client: string
  /** The user code is good until this instant, whatever becomes of the flow. */
  readonly codeUntilMs: number
  readonly status: 'pending' | 'approved' | 'denied' | 'gone'
  readonly expiresAtMs: number
  readonly intervalS: number
  readonly lastPolledAtMs: number | null
  readonly isRevoked: boolean
}

/** What is done to one flow. */
export type Act =
  | { readonly kind: 'poll'; readonly client: string }
  | { readonly kind: 'approve' }
  | { readonly kind: 'deny' }
  | { readonly kind: 'look' }
  | { readonly kind: 'revoke' }

export function modelStart(client: string, nowMs: number): ModelFlow {
  return {
    client,
    codeUntilMs: nowMs + 900_000,
    status: 'pending',
    expiresAtMs: nowMs + 900_000,
    intervalS: 5,
    lastPolledAtMs: null,
    isRevoked: false,
  }
}

/**
 * The flow after `act`, and the one word that the caller hears. A lost race for a decision is `lost` in any words. A
 * store whose own clock forgets user codes may do so later than the test's clock says: then there are two words.
 */
export function modelStep(
  flow: ModelFlow,
  act: Act,
  nowMs: number,
): { readonly flow: ModelFlow; readonly said: readonly string[] } {
  const isThere = flow.status !== 'gone' && nowMs < flow.expiresAtMs
  const isForgotten = nowMs >= flow.codeUntilMs
  const same = (...said: readonly string[]) => ({ flow, said })
  const taken = (said: string) => ({ flow: { ...flow, status: 'gone' as const }, said: [said] })
  switch (act.kind) {
    case 'poll': {
      if (!isThere || act.client !== flow.client) return same('expired_token')
      if (flow.status === 'denied') return taken('access_denied')
      if (flow.status === 'approved') return taken(flow.isRevoked ? 'access_denied' : 'token')
      const isEarly = flow.lastPolledAtMs !== null && nowMs < flow.lastPolledAtMs + flow.intervalS * 1000 - 750
      const intervalS = isEarly ? Math.min(flow.intervalS + 5, 30) : flow.intervalS
      const said = isEarly ? `slow_down ${intervalS}` : `authorization_pending ${intervalS}`
      return { flow: { ...flow, intervalS, lastPolledAtMs: nowMs }, said: [said] }
    }
    case 'approve':
      if (!isThere) return same('expired_or_unknown')
      if (flow.status !== 'pending') return same('lost', ...(isForgotten ? ['expired_or_unknown'] : []))
      return {
        flow: { ...flow, status: 'approved', expiresAtMs: Math.max(flow.expiresAtMs, nowMs + 60_000) },
        said: ['done'],
      }
    case 'deny':
      if (!isThere) return same('expired_or_unknown')
      if (flow.status !== 'pending') return same('lost', ...(isForgotten ? ['expired_or_unknown'] : []))
      return {
        flow: { ...flow, status: 'denied', expiresAtMs: Math.max(flow.expiresAtMs, nowMs + 1_000) },
        said: ['done'],
      }
    case 'look':
      if (!isThere) return same('unknown')
      if (flow.status === 'pending') return same(`pending ${Math.ceil((flow.expiresAtMs - nowMs) / 1000)}`)
      return same('decided', ...(isForgotten ? ['unknown'] : []))
    case 'revoke':
      return { flow: { ...flow, isRevoked: flow.isRevoked || flow.status === 'approved' }, said: ['done'] }
  }
}

/**
 * Every state that `flow` can be in after `acts` were done at once and heard `said`: one for each order that explains
 * what was heard. None means that no order does.
 */
export function modelAtOnce(
  flow: ModelFlow,
  acts: readonly Act[],
  said: readonly string[],
  nowMs: number,
): readonly ModelFlow[] {
  if (acts.length === 0) return [flow]
  const ends = acts.flatMap((act, at) => {
    const step = modelStep(flow, act, nowMs)
    if (!step.said.includes(said[at] ?? '')) return []
    return modelAtOnce(step.flow, acts.toSpliced(at, 1), said.toSpliced(at, 1), nowMs)
  })
  return [...new Map(ends.map((end) => [JSON.stringify(end), end])).values()]
}
