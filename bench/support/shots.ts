import type { Shot } from './load.ts'
import type { ServerProcess } from './server-process.ts'

/** Seconds that a load lasts. */
export const ROUND_S = 0.7

/** Goes round in `items`, one request each. */
export function cycle<T>(items: readonly T[], shotOf: (item: T) => Shot): () => Shot {
  const shots = items.map(shotOf)
  let at = 0
  return () => {
    const shot = shots[at++ % shots.length]
    if (shot === undefined) throw new Error('nothing to send')
    return shot
  }
}

/** A client address that nobody used before, so that no limit of an address is near. */
export function addressSource(): () => string {
  let count = 0
  return () => {
    count++
    return `10.${(count >> 16) & 255}.${(count >> 8) & 255}.${count & 255}`
  }
}

const AT_ONCE = 16

/** Calls for each item, a few at a time. */
export async function inTurn<T>(items: readonly T[], call: (item: T) => Promise<void>): Promise<void> {
  for (let at = 0; at < items.length; at += AT_ONCE) await Promise.all(items.slice(at, at + AT_ONCE).map(call))
}

/** Sends one request. */
export function send({ origin }: ServerProcess, { method, path, headers, body }: Shot): Promise<Response> {
  return fetch(origin + path, { method, headers, ...(body === undefined ? {} : { body }) })
}

/** @throws Error when the answer has another status */
export async function expectStatus(server: ServerProcess, shot: Shot, status: number): Promise<void> {
  const response = await send(server, shot)
  const text = await response.text()
  if (response.status !== status) throw new Error(`${shot.path} answered ${response.status}, not ${status}: ${text}`)
}
