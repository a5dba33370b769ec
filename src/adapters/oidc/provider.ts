import type { JSONWebKeySet } from 'jose'
import * as client from 'openid-client'
import * as v from 'valibot'
import type { Clock } from '#application/ports/clock.ts'
import { createProviderHttp } from './provider-http.ts'
import { CLOCK_SKEW_S, makeVerify, type Verify } from './signatures.ts'

export type ProviderSettings = {
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  /** For one question to the provider, from the first byte sent to the last one read. */
  readonly timeoutS: number
  readonly now: Clock
}

/** The provider as it describes itself. */
export type Provider = { readonly config: client.Configuration; readonly verify: Verify }

export type ReachProvider = {
  /** Asked when first needed, then remembered; of calls at the same time one asks. A failure is not remembered. */
  (): Promise<Provider>
  close(): Promise<void>
}

const KEPT_MS = 3_600_000
const Keys = v.looseObject({ keys: v.array(v.looseObject({ kty: v.string() })) })

/** OpenID Connect Discovery 1.0; RFC 6749 §2.3.1 for how this client proves itself. */
export function makeReachProvider({ issuer, clientId, clientSecret, timeoutS, now }: ProviderSettings): ReachProvider {
  const http = createProviderHttp()
  let kept: { readonly provider: Promise<Provider>; readonly askedAtMs: number } | null = null

  async function discover(): Promise<Provider> {
    const config = await client.discovery(
      new URL(issuer),
      clientId,
      { client_secret: clientSecret, [client.clockTolerance]: CLOCK_SKEW_S },
      prove(clientSecret),
      {
        timeout: timeoutS,
        [client.customFetch]: http.fetch,
        // Off loopback the library then refuses whatever the metadata names by plain http.
        execute: isPlainLoopback(issuer) ? [client.allowInsecureRequests] : [],
      },
    )
    const { issuer: named, authorization_endpoint, jwks_uri } = config.serverMetadata()
    // Discovery §4.3: exactly, closing slash included; the library lets some well-known providers name another.
    if (named !== issuer) throw new Error('the provider names another issuer')
    if (!isSafe(authorization_endpoint, issuer)) throw new Error('no safe authorization_endpoint')
    if (!isSafe(jwks_uri, issuer)) throw new Error('no safe jwks_uri')
    return { config, verify: makeVerify({ readKeys: () => readKeys(jwks_uri), now }) }
  }

  async function readKeys(url: string): Promise<JSONWebKeySet> {
    const signal = AbortSignal.timeout(timeoutS * 1000)
    const headers = { accept: 'application/json' }
    const answer = await http.fetch(url, { method: 'GET', headers, body: undefined, redirect: 'manual', signal })
    if (answer.status !== 200) throw new Error(`jwks_uri answers ${answer.status}`)
    return v.parse(Keys, await answer.json())
  }

  function reach(): Promise<Provider> {
    if (kept !== null && now() < kept.askedAtMs + KEPT_MS) return kept.provider
    const asking = { provider: discover(), askedAtMs: now() }
    kept = asking
    asking.provider.catch(() => {
      if (kept === asking) kept = null
    })
    return asking.provider
  }

  return Object.assign(reach, { close: () => http.close() })
}

/** By the header, as Discovery §3 has it for a provider that says nothing; in the body where that alone is offered. */
function prove(secret: string): client.ClientAuth {
  const inHeader = client.ClientSecretBasic(secret)
  const inBody = client.ClientSecretPost(secret)
  return (server, ...rest) => {
    const offered = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic']
    const takesHeader = offered.includes('client_secret_basic') || !offered.includes('client_secret_post')
    return (takesHeader ? inHeader : inBody)(server, ...rest)
  }
}

function isPlainLoopback(url: string): boolean {
  const { protocol, hostname } = new URL(url)
  return protocol === 'http:' && /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(hostname)
}

/** Browsers are sent there, keys come from there: neither from a `javascript:` nor over a network in the clear. */
function isSafe(url: string | undefined, issuer: string): url is string {
  if (url === undefined || !URL.canParse(url)) return false
  return new URL(url).protocol === 'https:' || (isPlainLoopback(issuer) && isPlainLoopback(url))
}
