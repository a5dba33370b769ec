import type { Load, Shot } from './load.ts'
import type { BareAnswer, Measure } from './measure.ts'
import type { ServerProcess } from './server-process.ts'

const API = '/openapi/v1'
const WORKSPACES = `${API}/workspaces`
const ROUND_S = 2
/** One round stays far below 60 calls a minute and token, and every round has tokens of its own. */
const TOKENS_A_ROUND = 2_000
const LIMITED_TOKENS_A_ROUND = 8
const CALLS_A_MINUTE = 60
/** No flow is polled twice within its interval, so that every answer is `authorization_pending`. */
const POLLS_A_ROUND = 8_000

/** Tokens that `rounds` rounds of everything use up. */
export function tokensFor(rounds: number): number {
  return rounds * (TOKENS_A_ROUND + LIMITED_TOKENS_A_ROUND)
}

/** The four kinds of requests, on `latchkey`, with `tokens` to spend. */
export function makeMeasures(latchkey: ServerProcess, tokens: readonly string[]): readonly Measure[] {
  const addresses = addressSource()
  let spent = 0
  const take = (count: number) => {
    const taken = tokens.slice(spent, spent + count)
    if (taken.length < count) throw new Error('the tokens are used up')
    spent += count
    return taken
  }
  let bearers: readonly string[] = []
  let limited: readonly string[] = []
  let fresh: string[] = []

  return [
    {
      name: 'bearer_get',
      title: 'GET /workspaces with a warm bearer',
      barePath: WORKSPACES,
      async prepare() {
        bearers = take(TOKENS_A_ROUND)
        await inTurn(bearers, (bearer) => expectStatus(latchkey, getWorkspaces(bearer), 200))
      },
      load: () => ({ next: cycle(bearers, getWorkspaces), expectStatus: 200, until: { seconds: ROUND_S } }),
    },
    {
      name: 'limited',
      title: 'GET /workspaces beyond the limit: 429',
      barePath: `${WORKSPACES}-limited`,
      async prepare() {
        limited = take(LIMITED_TOKENS_A_ROUND)
        const calls = limited.flatMap((bearer) => Array<string>(CALLS_A_MINUTE).fill(bearer))
        await inTurn(calls, (bearer) => expectStatus(latchkey, getWorkspaces(bearer), 200))
        // The first refusal of a window also writes an audit row.
        await inTurn(limited, (bearer) => expectStatus(latchkey, getWorkspaces(bearer), 429))
      },
      load: () => ({ next: cycle(limited, getWorkspaces), expectStatus: 429, until: { seconds: ROUND_S } }),
    },
    {
      name: 'device_code',
      title: 'POST /oauth/device/code',
      barePath: `${API}/oauth/device/code`,
      load: () => ({
        next: () => startFlow(addresses()),
        expectStatus: 200,
        until: { seconds: ROUND_S },
        onBody: (body) => {
          fresh.push(deviceCodeOf(body))
        },
      }),
    },
    {
      name: 'pending_poll',
      title: 'POST /oauth/device/token, still pending',
      barePath: `${API}/oauth/device/token`,
      load: () => {
        const codes = fresh.slice(0, POLLS_A_ROUND)
        fresh = []
        return {
          next: cycle(codes, (code) => pollFlow(code, addresses())),
          expectStatus: 400,
          until: { requests: codes.length },
        }
      },
    },
  ]
}

/** The same load for the bare server, which keeps its answer elsewhere and whose bodies mean nothing. */
export function bareLoad({ next, expectStatus }: Load, { barePath }: Measure): Load {
  return { next: () => ({ ...next(), path: barePath }), expectStatus, until: { seconds: ROUND_S } }
}

/** What Latchkey answers to one request of a measure, for the bare server to say. */
export async function answerOf(latchkey: ServerProcess, measure: Measure): Promise<BareAnswer> {
  await measure.prepare?.()
  const shot = measure.load().next()
  const response = await send(latchkey, shot)
  const body: unknown = await response.json()
  if (measure.name === 'device_code') measure.load().onBody?.(JSON.stringify(body))
  return { method: shot.method, path: measure.barePath, status: response.status, body }
}

export function getWorkspaces(bearer: string): Shot {
  return { method: 'GET', path: WORKSPACES, headers: { authorization: `Bearer ${bearer}` } }
}

function startFlow(address: string): Shot {
  return post(`${API}/oauth/device/code`, address, { client_id: 'latchkey', device_label: 'bench' })
}

function pollFlow(deviceCode: string, address: string): Shot {
  return post(`${API}/oauth/device/token`, address, { client_id: 'latchkey', device_code: deviceCode })
}

function post(path: string, address: string, body: unknown): Shot {
  const headers = { 'content-type': 'application/json', 'x-forwarded-for': address }
  return { method: 'POST', path, headers, body: JSON.stringify(body) }
}

function deviceCodeOf(body: string): string {
  const { device_code }: { readonly device_code: string } = JSON.parse(body)
  return device_code
}

/** A client address that nobody used before, so that no limit of an address is near. */
function addressSource(): () => string {
  let count = 0
  return () => {
    count++
    return `10.${(count >> 16) & 255}.${(count >> 8) & 255}.${count & 255}`
  }
}

function cycle<T>(items: readonly T[], shotOf: (item: T) => Shot): () => Shot {
  const shots = items.map(shotOf)
  let at = 0
  return () => {
    const shot = shots[at++ % shots.length]
    if (shot === undefined) throw new Error('nothing to send')
    return shot
  }
}

const AT_ONCE = 16

async function inTurn<T>(items: readonly T[], call: (item: T) => Promise<void>): Promise<void> {
  for (let at = 0; at < items.length; at += AT_ONCE) await Promise.all(items.slice(at, at + AT_ONCE).map(call))
}

/** Sends one request. */
export function send({ origin }: ServerProcess, { method, path, headers, body }: Shot): Promise<Response> {
  return fetch(origin + path, { method, headers, ...(body === undefined ? {} : { body }) })
}

async function expectStatus(server: ServerProcess, shot: Shot, status: number): Promise<void> {
  const response = await send(server, shot)
  await response.arrayBuffer()
  if (response.status !== status) throw new Error(`${shot.path} answered ${response.status} instead of ${status}`)
}
