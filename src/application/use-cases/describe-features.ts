import { DomainError } from '#domain/errors.ts'
import { isInForce } from '../auth/approval-grant.ts'
import type { AccessPolicy } from '../ports/app-access.ts'
import type { IdentityBridge } from '../ports/identity-bridge.ts'

type Needs = {
  bridge: IdentityBridge | null
  policy: AccessPolicy | null
  settings: { readonly consoleApiUrl: string | null }
}

export type Features = {
  /** `none` when there is no licence, or none that can be read. */
  readonly licenseStatus: string
  /** Whether apps are guarded by access modes. */
  readonly webAppAuth: boolean
  /** Whether people can be sent to a company's identity provider. */
  readonly sso: boolean
  /** How they sign in there; "" when that is unknown, or when they cannot. */
  readonly protocol: string
}

/** What this server offers at this moment, for its pages. What cannot be asked counts as off. */
export type DescribeFeatures = () => Promise<Features>

export function makeDescribeFeatures({ bridge, policy, settings }: Needs): DescribeFeatures {
  return async () => {
    const licenseStatus = (await bridge?.licenseStatus()) ?? 'none'
    const sso = isInForce(licenseStatus) && settings.consoleApiUrl !== null
    return {
      licenseStatus,
      webAppAuth: policy !== null && (await orOff(policy.enabled())),
      sso,
      protocol: sso ? ((await bridge?.protocol()) ?? '') : '',
    }
  }
}

/** A public page must not fail with a service beside us. */
async function orOff(asked: Promise<boolean>): Promise<boolean> {
  try {
    return await asked
  } catch (error) {
    if (error instanceof DomainError && error.code === 'enterprise_failed') return false
    throw error
  }
}
