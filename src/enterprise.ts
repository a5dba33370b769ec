import { makeBuiltInPolicy } from '#application/auth/built-in-policy.ts'
import type { AccessPolicy, AppAccessStore } from '#application/ports/app-access.ts'
import type { ExternalDirectory } from '#application/ports/external-directory.ts'
import type { IdentityBridge } from '#application/ports/identity-bridge.ts'
import type { Edition } from './edition.ts'

type Needs = { appAccess: AppAccessStore; externals: ExternalDirectory }

/** What the core needs to know of its edition. */
export type Enterprise = {
  readonly bridge: IdentityBridge | null
  readonly policy: AccessPolicy | null
  readonly remoteIsolation: boolean
}

/** A licence that nobody gives: the routes of Enterprise answer 404. */
const unlicensed: IdentityBridge = {
  licenseStatus: async () => null,
  protocol: async () => '',
  signOnUrl: async () => null,
  finish: null,
}

/** The adapters of the edition that was configured. */
export function openEnterprise(edition: Edition, needs: Needs): Enterprise {
  switch (edition.kind) {
    case 'community':
      return { bridge: null, policy: null, remoteIsolation: false }
    case 'remote':
      return { bridge: unlicensed, policy: null, remoteIsolation: true }
    case 'oidc':
      return { bridge: unlicensed, policy: makeBuiltInPolicy(needs), remoteIsolation: false }
    case 'unlicensed':
      return { bridge: unlicensed, policy: null, remoteIsolation: false }
  }
}
