import { DomainError } from '#domain/errors.ts'
import type { Clock } from '../ports/clock.ts'
import type { DeviceFlowStore } from '../ports/device-flow-store.ts'
import type { IdentityBridge } from '../ports/identity-bridge.ts'
import type { RandomBytes } from '../ports/secrets.ts'
import type { SsoSealer } from '../ports/sso-sealer.ts'
import { pendingFlow } from './pending-flow.ts'
import { randomText } from './random-text.ts'

type Needs = {
  flows: DeviceFlowStore
  bridge: IdentityBridge | null
  sealer: SsoSealer
  randomBytes: RandomBytes
  now: Clock
  settings: { readonly consoleApiUrl: string | null }
}

/** Where to send the browser so that its person signs in at the company's identity provider. */
export type BeginSso = (input: {
  readonly userCode: string | null
  /** Names the browser that asks. */
  readonly browser: string
}) => Promise<string>

/** Path of the route that a bridge sends the browser back to. */
export const SSO_COMPLETE_PATH = '/openapi/v1/oauth/device/sso-complete'

/**
 * The first half of an external sign-on. Nothing is stored: the signed envelope carries it.
 * @throws DomainError `user_code_required` | `invalid_user_code` | `console_api_url_unset` | `sso_initiate_failed` |
 *   `sso_initiate_missing_url`
 */
export function makeBeginSso({ flows, bridge, sealer, randomBytes, now, settings }: Needs): BeginSso {
  return async ({ userCode, browser }) => {
    if (userCode === null) throw new DomainError('user_code_required', {})
    const pending = await pendingFlow(flows, userCode, now())
    if (pending === null) throw new DomainError('invalid_user_code', {})
    const { consoleApiUrl } = settings
    // A Host header must never decide where an identity provider sends people.
    if (consoleApiUrl === null || bridge === null) throw new DomainError('console_api_url_unset', {})
    const envelope = await sealer.sealEnvelope({
      userCode: pending.userCode,
      nonce: randomText(randomBytes, 16),
      callbackUrl: consoleApiUrl + SSO_COMPLETE_PATH,
    })
    const url = await signOnUrl(bridge, envelope, browser)
    if (url === null) throw new DomainError('sso_initiate_missing_url', {})
    return url
  }
}

async function signOnUrl(bridge: IdentityBridge, envelope: string, browser: string): Promise<string | null> {
  try {
    return await bridge.signOnUrl(envelope, browser)
  } catch (error) {
    if (error instanceof DomainError && error.code === 'enterprise_failed') {
      throw new DomainError('sso_initiate_failed', {}, { cause: error })
    }
    throw error
  }
}
