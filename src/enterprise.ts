import type { Trace } from '#adapters/telemetry/trace.ts'
import { makeBuiltInPolicy } from '#application/auth/built-in-policy.ts'
import type { AccountDirectory } from '#application/ports/account-directory.ts'
import type { AccessPolicy, AppAccessStore } from '#application/ports/app-access.ts'
import type { Clock, Timer } from '#application/ports/clock.ts'
import type { ExternalDirectory } from '#application/ports/external-directory.ts'
import type { IdentityBridge } from '#application/ports/identity-bridge.ts'
import type { Log } from '#application/ports/log.ts'
import type { Tracer } from '#application/ports/tracer.ts'
import { SSO_CALLBACK_PATH } from '#application/use-cases/finish-sso.ts'
import type { Edition } from './edition.ts'

/** What an edition stands on. */
export type EnterpriseNeeds = {
  accounts: AccountDirectory
  appAccess: AppAccessStore
  externals: ExternalDirectory
  now: Clock
  timer: Timer
  log: Log
  /** Null when this server knows no origin of its own; nobody is sent anywhere then. */
  consoleApiUrl: string | null
  /** Null when no spans are made: the caller's own trace is then passed on as it is. */
  tracer?: Tracer | null
}

/** What the core needs to know of its edition. */
export type Enterprise = {
  readonly bridge: IdentityBridge | null
  readonly policy: AccessPolicy | null
  readonly remoteIsolation: boolean
  /** Null when nobody is told of traces. */
  readonly inTrace: Trace['run'] | null
  close(): Promise<void>
}

const ALONE = { remoteIsolation: false, inTrace: null, close: async () => {} }

/** A licence that nobody gives: the routes of external sign-on answer 404. */
const unlicensed: IdentityBridge = {
  licenseStatus: async () => null,
  protocol: async () => '',
  signOnUrl: async () => null,
  finish: null,
  readLogout: null,
}

/** The adapters of the edition that was configured, and of no other. */
export async function openEnterprise(edition: Edition, needs: EnterpriseNeeds): Promise<Enterprise> {
  switch (edition.kind) {
    case 'community':
      return { ...ALONE, bridge: null, policy: null }
    case 'remote': {
      const { openRemote } = await import('./remote-enterprise.ts')
      return openRemote(edition, needs)
    }
    case 'oidc':
      return openOidc(edition, needs)
    case 'unlicensed':
      return { ...ALONE, bridge: unlicensed, policy: null }
  }
}

async function openOidc(edition: Extract<Edition, { kind: 'oidc' }>, needs: EnterpriseNeeds): Promise<Enterprise> {
  const { createOidcBridge } = await import('#adapters/oidc/oidc-bridge.ts')
  const redirectUri = `${needs.consoleApiUrl ?? ''}${SSO_CALLBACK_PATH}`
  const bridge = createOidcBridge({ ...edition, redirectUri, now: needs.now, log: needs.log })
  return { ...ALONE, bridge, policy: makeBuiltInPolicy(needs), close: () => bridge.close() }
}
