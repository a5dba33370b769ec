import { createHash, createHmac } from 'node:crypto'
import * as client from 'openid-client'
import type { Clock } from '#application/ports/clock.ts'
import type { IdentityBridge } from '#application/ports/identity-bridge.ts'
import type { Log } from '#application/ports/log.ts'
import { DomainError } from '#domain/errors.ts'
import { faultOf, refusalOf } from './faults.ts'
import { readLogoutNotice } from './logout-token.ts'
import { makeReachProvider, type Provider } from './provider.ts'
import { makeNoteRefusedNotice } from './refused-notices.ts'
import { readPerson, type Vouching } from './vouched-person.ts'

export type OidcSettings = {
  /** Exactly as the provider writes it. */
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  readonly scope: string
  readonly groupsClaim: string
  /** Where the provider sends browsers back to; registered there. */
  readonly redirectUri: string
  readonly timeoutS?: number
  readonly now: Clock
  readonly log: Log
}

export type OidcBridge = IdentityBridge & { close(): Promise<void> }

const TIMEOUT_S = 5
/** Seconds: long enough for a slow exchange, short enough for used notices to be remembered. */
const MAX_AGE_S = 300

/**
 * Signs people on at an OpenID provider: the authorization code flow with PKCE (RFC 7636), and its notices of people
 * who signed out. Nothing is stored: the envelope is the `state`, and what else a sign-on must remember follows from it
 * and the browser's name. So tabs do not disturb each other, and a code that another browser fetched is of no use.
 */
export function createOidcBridge(settings: OidcSettings): OidcBridge {
  const { issuer, clientId, scope, redirectUri, log } = settings
  const reach = makeReachProvider({ ...settings, timeoutS: settings.timeoutS ?? TIMEOUT_S })

  const noteRefusedSignOn = (reason: string) => log.warn('external sign-on refused', { reason })
  const noteRefusedNotice = makeNoteRefusedNotice(settings)

  /** Null when the provider, or a check of what it said, refuses. @throws DomainError `enterprise_failed` */
  async function ask<T>(
    what: string,
    noteRefused: (reason: string) => void,
    work: (provider: Provider) => Promise<T>,
  ): Promise<T | null> {
    let provider: Provider
    try {
      provider = await reach()
    } catch (error) {
      throw failed(what, error)
    }
    try {
      return await work(provider)
    } catch (error) {
      const reason = refusalOf(error)
      if (reason === null) throw failed(what, error)
      noteRefused(reason)
      return null
    }
  }

  return {
    licenseStatus: async () => 'active',
    protocol: async () => 'oidc',

    signOnUrl: (sealedEnvelope, browser) =>
      ask('external sign-on', noteRefusedSignOn, async ({ config }) => {
        const { verifier, nonce } = derive(browser, sealedEnvelope)
        const challenge = createHash('sha256').update(verifier).digest('base64url')
        return client.buildAuthorizationUrl(config, {
          redirect_uri: redirectUri,
          scope,
          state: sealedEnvelope,
          nonce,
          code_challenge: challenge,
          code_challenge_method: 'S256',
        }).href
      }),

    async finish({ query, sealedEnvelope, browser }) {
      const vouching = await ask(
        'external sign-on',
        noteRefusedSignOn,
        async ({ config, verify }): Promise<Vouching> => {
          const { verifier, nonce } = derive(browser, sealedEnvelope)
          const callback = new URL(redirectUri)
          callback.search = query.toString()
          const tokens = await client.authorizationCodeGrant(config, callback, {
            expectedState: sealedEnvelope,
            expectedNonce: nonce,
            pkceCodeVerifier: verifier,
            idTokenExpected: true,
          })
          // The library trusts the connection that the token came by; its signature is looked at all the same.
          const claims = await verify(tokens.id_token ?? '', {
            issuer,
            audience: clientId,
            requiredClaims: ['sub', 'iat', 'exp', 'nonce'],
            maxTokenAge: MAX_AGE_S,
          })
          if (claims.azp !== undefined && claims.azp !== clientId) return { refused: 'issued to another party' }
          if (claims.email !== undefined || config.serverMetadata().userinfo_endpoint === undefined) {
            return readPerson(claims, settings)
          }
          const told = await client.fetchUserInfo(config, tokens.access_token, String(claims.sub))
          return readPerson({ ...told, ...claims, email: told.email, email_verified: told.email_verified }, settings)
        },
      )
      if (vouching?.refused !== undefined) noteRefusedSignOn(vouching.refused)
      return vouching?.person ?? null
    },

    readLogout: (token) =>
      ask('back-channel logout', noteRefusedNotice, async ({ verify }) => {
        const options = { issuer, audience: clientId, requiredClaims: ['iat', 'jti', 'sub'], maxTokenAge: MAX_AGE_S }
        return readLogoutNotice(await verify(token, options), issuer)
      }),

    close: () => reach.close(),
  }
}

/** Only the browser that set out knows its name: whoever else comes back with its `state` derives other ones. */
function derive(browser: string, sealedEnvelope: string): { readonly verifier: string; readonly nonce: string } {
  const of = (purpose: string) =>
    createHmac('sha256', browser).update(`${purpose}.${sealedEnvelope}`).digest('base64url')
  return { verifier: of('verifier'), nonce: of('nonce') }
}

function failed(what: string, error: unknown): DomainError {
  return new DomainError('enterprise_failed', {}, { cause: new Error(what, { cause: faultOf(error) }) })
}
