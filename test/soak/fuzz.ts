import { Agent } from 'node:http'
import { apiRoutes, PREFIX } from '#adapters/http/api-routes.ts'
import { openApiDocument } from '#adapters/http/openapi.ts'
import { makeBuiltInPolicy } from '#application/auth/built-in-policy.ts'
import { ACCOUNT_TOKEN } from '#domain/token-kind.ts'
import { askingFile, chatFile, formFile, graphChatFile, jsonFile } from '../http/app-files.ts'
import { aPlace, aToken, mintExternal, mintOwn, NO_BEARER_LIMIT, type Place } from '../http/place.ts'
import { EVE, ORIGIN, signAs, ssoOf } from '../http/sso.ts'
import { aBridge } from '../support/policy.ts'
import { framesIn } from '../support/sse.ts'
import { type Credentials, draftRequest, type Harvest, harvest, operationsOf } from './fuzz-requests.ts'
import { type Answered, describeRequest, send, type Written, write } from './fuzz-wire.ts'
import { heldMiB } from './held.ts'
import { seededRandom } from './random.ts'

export type FuzzOptions = {
  readonly count: number
  readonly seed: number
  /** Told now and then how many requests were answered. */
  readonly progress?: (done: number) => void
}

export type FuzzSummary = {
  /** Requests by the status of their answers. */
  readonly statuses: Readonly<Record<string, number>>
  /** What was wrong, each with the request that brought it about. */
  readonly findings: readonly string[]
  /** What the second half of the requests left in memory. */
  readonly grownMiB: number
  /** Operations that were answered with success at least once, of all that there are. */
  readonly reached: readonly string[]
  readonly operations: readonly string[]
}

/** Credentials are handed out afresh, codes and windows run out, and the log is searched and emptied. */
const ROUND = 250
const ROUND_MS = 16 * 60_000
const MAX_FINDINGS = 20
const STATUS_WITHOUT_BODY = new Set([204, 304, 417])

/**
 * Sends `count` requests, made up from the OpenAPI document by the seed, one after the other to a server on memory, and
 * holds every answer against the document.
 */
export async function fuzz({ count, seed, progress }: FuzzOptions): Promise<FuzzSummary> {
  const random = seededRandom(seed)
  const place = await openFuzzed()
  const operations = operationsOf(JSON.parse(JSON.stringify(openApiDocument(apiRoutes))))
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const known: Harvest = new Map()
  const statuses: Record<string, number> = {}
  const findings: string[] = []
  const reached = new Set<string>()
  let credentials = await newRound(place, known)
  let heldBefore = 0
  try {
    for (let done = 0; done < count && findings.length < MAX_FINDINGS; done++) {
      if (done % ROUND === ROUND - 1) {
        place.forget()
        place.clock.advance(ROUND_MS)
        credentials = await newRound(place, known)
        progress?.(done)
      }
      if (done === Math.floor(count / 2)) heldBefore = await heldMiB()
      const operation = random.pick(operations)
      const draft = draftRequest(operation, PREFIX, random, { harvest: known, credentials })
      const written = write(draft)
      const answered = await send(place.url, agent, written).catch((error: Error) => error)
      const finding = judge(written, answered)
      if (finding !== null) findings.push(`${finding}\n  ${describeRequest(written)}`)
      if (answered instanceof Error) continue
      statuses[answered.status] = (statuses[answered.status] ?? 0) + 1
      if (answered.status < 400 && written.method === operation.method) reached.add(nameOf(operation))
      // The document's examples are of nobody.
      if (answered.status === 200 && operation.path !== '/openapi.json')
        for (const value of jsonIn(answered)) harvest(known, value)
      // Some operation has ended the one that is used most.
      if (answered.status === 401 && written.headers.Authorization === credentials.bearers.account?.Authorization)
        credentials = { ...credentials, bearers: { ...credentials.bearers, account: bearer(await mintOwn(place)) } }
    }
    place.forget()
    const grownMiB = (await heldMiB()) - heldBefore
    if (Object.hasOwn(Object.prototype, 'polluted')) findings.push('Object.prototype was polluted')
    return { statuses, findings, grownMiB, reached: [...reached], operations: operations.map(nameOf) }
  } finally {
    agent.destroy()
    await place.close().catch((error: Error) => findings.push(error.message))
  }
}

const nameOf = ({ method, path }: { readonly method: string; readonly path: string }) => `${method} ${path}`

function openFuzzed(): Promise<Place> {
  return aPlace({
    settings: { ...NO_BEARER_LIMIT, decidePerHour: 1_000_000, consoleApiUrl: ORIGIN },
    change: (ports) => ({
      ...ports,
      bridge: aBridge({ finish: async () => ({ ...EVE, sub: null, groups: [] }) }),
      policy: makeBuiltInPolicy(ports),
    }),
  })
}

/** Fresh credentials of every kind, and live ids and codes to go with them. */
async function newRound(place: Place, known: Harvest): Promise<Credentials> {
  if (!known.has('apps id')) {
    const files = [chatFile(), graphChatFile(), jsonFile(), formFile('asks'), askingFile]
    const appIds: string[] = []
    for (const file of files) appIds.push(await place.addApp(file))
    known.set('apps id', appIds)
    known.set('workspace_id', [place.owner.workspaceId])
    known.set('workspaces id', [place.owner.workspaceId])
    const { accountId } = await place.addMember('member@example.test')
    known.set('mid', [accountId])
    known.set('email', ['member@example.test', 'newcomer@example.test'])
    known.set('yaml_content', [chatFile('Imported'), chatFile('Imported again').replace('0.6.0', '0.9.0')])
  }
  const sso = ssoOf(place)
  const browser = await place.signIn()
  const flows = await Promise.all(Array.from({ length: 8 }, (_, at) => place.startFlow(`fuzzed ${at}`)))
  known.set(
    'user_code',
    flows.map(({ userCode }) => userCode),
  )
  known.set(
    'device_code',
    flows.map(({ deviceCode }) => deviceCode),
  )
  const [first, second, third] = flows.map(({ userCode }) => userCode)
  await place.post(`${PREFIX}/oauth/device/approve`, { json: { user_code: first }, headers: browser.headers })
  const { cookie, csrf } = await sso.signOn(second ?? '')
  const initiated = await sso.initiate(third ?? '')
  const begun = initiated.headers.getSetCookie().map((line) => line.split(';')[0] ?? '')
  // It also takes a stale grant away.
  const cookies = [cookie.Cookie, ...begun.filter((pair) => !pair.startsWith('device_approval_grant='))]
  known.set('/oauth/device/approve-external user_code', [second ?? ''])
  known.set('state', [new URL(initiated.headers.get('Location') ?? '').searchParams.get('state') ?? ''])
  known.set('sso_assertion', [await signAs(sso.assertionClaims(third ?? ''))])
  const [account, external] = [await mintOwn(place), await mintExternal(place, EVE.email, 'laptop', EVE.issuer)]
  await pauseARun(place, known, account)
  const revoked = await mintOwn(place, { label: 'revoked' })
  await place.delete(`${PREFIX}/account/sessions/self`, { token: revoked })
  const expired = await mintOwn(place, { label: 'expired', lifeMs: 1 })
  const { json: sessions } = await place.get(`${PREFIX}/account/sessions`, { token: account })
  known.set(
    'account id',
    sessions.data.map(({ id }: { id: string }) => id),
  )
  return {
    bearers: {
      account: bearer(account),
      external: bearer(external),
      revoked: bearer(revoked),
      expired: bearer(expired),
      unknown: bearer(aToken(ACCOUNT_TOKEN)),
      garbage: bearer('dfoa_garbage'),
      none: {},
    },
    console: browser.headers,
    grant: { Cookie: cookies.join('; '), 'X-CSRF-Token': csrf },
  }
}

/** A run that waits for a person, as the last app does: its form can be read and answered. */
async function pauseARun(place: Place, known: Harvest, token: string): Promise<void> {
  const appId = known.get('apps id')?.at(-1) ?? ''
  const json = { inputs: { who: 'Ann' }, response_mode: 'streaming' }
  const { text } = await place.post(`${PREFIX}/apps/${appId}/run`, { token, json })
  for (const frame of framesIn(text)) {
    harvest(known, frame)
    if (frame.event === 'human_input_required')
      known.set('/apps/{id}/form/human_input/{token} token', [frame.data.form_token])
  }
}

const bearer = (token: string) => ({ Authorization: `Bearer ${token}` })

const isJson = ({ headers }: Answered) => String(headers['content-type']).startsWith('application/json')

/** The body, or the events of a stream as far as it was read. */
function jsonIn(answered: Answered): unknown[] {
  if (isJson(answered)) return [JSON.parse(answered.text || 'null')]
  const isStream = String(answered.headers['content-type']).startsWith('text/event-stream')
  return isStream ? framesIn(answered.text.slice(0, answered.text.lastIndexOf('\n\n') + 2)) : []
}

/** What is wrong with an answer; the conformity check of the server itself turns a misfit into a 599. */
function judge({ method, target }: Written, answered: Answered | Error): string | null {
  if (answered instanceof Error) return `no answer: ${answered.message}`
  const { status, headers, text } = answered
  if (status >= 500) return `${status}: ${text.slice(0, 500)}`
  if (method === 'HEAD' || STATUS_WITHOUT_BODY.has(status)) return text === '' ? null : `${status}: a body`
  if (status < 400 || !target.startsWith(`${PREFIX}/`)) return null
  if (!isJson(answered)) return `${status} without the one error body: ${headers['content-type']} ${text.slice(0, 200)}`
  const body = JSON.parse(text)
  const isRefusal = typeof body.error === 'string' && typeof body.code === 'string'
  return isRefusal ? null : `${status} with another error body: ${text.slice(0, 200)}`
}
