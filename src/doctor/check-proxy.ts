import * as v from 'valibot'
import { createChallenges } from '#adapters/crypto/challenges.ts'
import { SEEN_PATH, type Seen } from '#adapters/http/routes/seen.ts'
import type { Challenges } from '#application/ports/challenges.ts'
import type { Config } from '../config.ts'
import type { SigningKey } from '../config-reader.ts'
import { ask } from './ask.ts'
import { type Finding, fail, warn } from './finding.ts'
import { checkOf, FORGED, judgeSeen } from './judge-seen.ts'

type Origins = Pick<Config, 'consoleApiUrl' | 'consoleWebUrl'>
type Asking = { readonly challenges: Challenges; readonly now: () => number; readonly version: string }
type Heard = { readonly seen: Seen; readonly headers: Headers }

const Reply = v.object({ seen: v.pipe(v.string(), v.maxLength(4096)), mac: v.string() })
const SeenSchema = v.object({
  peer: v.string(),
  isPeerTrusted: v.boolean(),
  client: v.string(),
  hops: v.number(),
  furthest: v.nullable(v.string()),
  proto: v.nullable(v.picklist(['http', 'https'])),
  host: v.nullable(v.string()),
})

/**
 * Asks the server, through each public origin, how the question looked from there. Only a server that holds one of
 * `keys` can answer, so whatever else stands there is found out.
 */
export async function checkProxy(
  { consoleApiUrl, consoleWebUrl }: Origins,
  keys: readonly SigningKey[],
  version: string,
  now: () => number,
): Promise<readonly Finding[]> {
  const origins = [...new Set([consoleApiUrl, consoleWebUrl])].filter((one) => one !== null)
  if (origins.length === 0) return []
  if (keys.length === 0) {
    return [warn('proxy', 'not asked: there is no secret_key in DATA_DIR as yet', 'start the server, and look again')]
  }
  const asking = { challenges: createChallenges(keys), now, version }
  return (await Promise.all(origins.map((origin) => checkOrigin(origin, asking)))).flat()
}

async function checkOrigin(origin: string, asking: Asking): Promise<readonly Finding[]> {
  const plain = await askHow(origin, {}, asking)
  if (!('seen' in plain)) return [plain]
  // What forges a header may be refused in front, which is as good.
  const forged = await askHow(
    origin,
    { 'X-Forwarded-For': FORGED['X-Forwarded-For'], Forwarded: `for=${FORGED.Forwarded}` },
    asking,
  )
  return judgeSeen(origin, { plain: plain.seen, headers: plain.headers, forged: 'seen' in forged ? forged.seen : null })
}

async function askHow(
  origin: string,
  headers: Readonly<Record<string, string>>,
  { challenges, now, version }: Asking,
): Promise<Heard | Finding> {
  const challenge = challenges.issue(now())
  const answer = await ask(`${origin}${SEEN_PATH}?challenge=${challenge.text}`, null, { headers })
  if (!answer.ok) {
    const fix = 'start the server, and check DNS, the balancer and its certificate'
    return warn(checkOf(origin), `not judged: ${answer.fault}`, fix)
  }
  const reply = v.safeParse(Reply, answer.body)
  if (answer.status === 200 && reply.success && challenge.isAnswer(reply.output.seen, reply.output.mac)) {
    return { seen: v.parse(SeenSchema, JSON.parse(reply.output.seen)), headers: answer.headers }
  }
  return refusalOf(checkOf(origin), answer.status, answer.headers.get('X-Version'), version)
}

/** A server of ours says its version with every answer, and to a challenge that it cannot open that there is nothing. */
function refusalOf(check: string, status: number, running: string | null, version: string): Finding {
  if (status >= 500) return warn(check, `not judged: status ${status}`, 'see /readyz, and the balancer’s log')
  if (status !== 404 || running === null) {
    return fail(
      check,
      `what answers there is not this installation (status ${status})`,
      'let the balancer pass all paths, unchanged and without redirects, to this server',
    )
  }
  if (running !== version) {
    const fix = `look again when the replicas are at ${version}`
    return warn(check, 'not judged: a server of another version answers there', fix)
  }
  return fail(
    check,
    'a server with another SECRET_KEY answers there, or its clock is far from this machine’s',
    'give all replicas, and this command, one SECRET_KEY, and let their machines keep time by NTP',
  )
}
