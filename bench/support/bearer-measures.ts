import type { Shot } from './load.ts'
import type { Measure } from './measure.ts'
import type { ServerProcess } from './server-process.ts'
import { cycle, expectStatus, inTurn, ROUND_S } from './shots.ts'

/** One round stays far below 60 calls a minute and token, and every round has tokens of its own. */
const TOKENS_A_ROUND = 1_200
const LIMITED_TOKENS_A_ROUND = 8
const CALLS_A_MINUTE = 60

/** Tokens that `rounds` rounds use up. */
export function tokensFor(rounds: number): number {
  return rounds * (TOKENS_A_ROUND + LIMITED_TOKENS_A_ROUND)
}

/** Requests with a bearer, while `tokens` last. */
export function bearerMeasures(
  latchkey: ServerProcess,
  tokens: readonly string[],
): { readonly bearer_get: Measure; readonly limited: Measure } {
  let spent = 0
  const take = (count: number) => {
    const taken = tokens.slice(spent, spent + count)
    if (taken.length < count) throw new Error('the tokens are used up')
    spent += count
    return taken
  }
  let bearers: readonly string[] = []
  let limited: readonly string[] = []

  return {
    bearer_get: {
      async prepare() {
        bearers = take(TOKENS_A_ROUND)
        await inTurn(bearers, (bearer) => expectStatus(latchkey, getWorkspaces(bearer), 200))
      },
      load: () => ({ next: cycle(bearers, getWorkspaces), expectStatus: 200, until: { seconds: ROUND_S } }),
    },
    limited: {
      async prepare() {
        limited = take(LIMITED_TOKENS_A_ROUND)
        const calls = limited.flatMap((bearer) => Array<string>(CALLS_A_MINUTE).fill(bearer))
        await inTurn(calls, (bearer) => expectStatus(latchkey, getWorkspaces(bearer), 200))
        // The first refusal of a window also writes an audit row.
        await inTurn(limited, (bearer) => expectStatus(latchkey, getWorkspaces(bearer), 429))
      },
      load: () => ({ next: cycle(limited, getWorkspaces), expectStatus: 429, until: { seconds: ROUND_S } }),
    },
  }
}

export function getWorkspaces(bearer: string): Shot {
  return { method: 'GET', path: '/openapi/v1/workspaces', headers: { authorization: `Bearer ${bearer}` } }
}
