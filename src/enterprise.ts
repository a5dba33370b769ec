import { createInnerApi } from '#adapters/enterprise/inner-api.ts'
import { createRemoteBridge } from '#adapters/enterprise/remote-bridge.ts'
import { createRemotePolicy } from '#adapters/enterprise/remote-policy.ts'
import { makeReadServiceInfo } from '#adapters/enterprise/service-info.ts'
import { createOidcBridge } from '#adapters/oidc/oidc-bridge.ts'
import { createTrace, type Trace } from '#adapters/telemetry/trace.ts'
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

type Needs = {
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

/** The adapters of the edition that was configured. */
export function openEnterprise(edition: Edition, needs: Needs): Enterprise {
  switch (edition.kind) {
    case 'community':
      return { ...ALONE, bridge: null, policy: null }
    case 'remote':
      return openRemote(edition, needs)
    case 'oidc':
      return openOidc(edition, needs)
    case 'unlicensed':
      return { ...ALONE, bridge: unlicensed, policy: null }
  }
}

function openOidc(edition: Extract<Edition, { kind: 'oidc' }>, needs: Needs): Enterprise {
  const redirectUri = `${needs.consoleApiUrl ?? ''}${SSO_CALLBACK_PATH}`
  const bridge = createOidcBridge({ ...edition, redirectUri, now: needs.now, log: needs.log })
  return { ...ALONE, bridge, policy: makeBuiltInPolicy(needs), close: () => bridge.close() }
}

function openRemote(edition: Extract<Edition, { kind: 'remote' }>, needs: Needs): Enterprise {
  const trace = createTrace()
  const api = createInnerApi({
    ...edition,
    timer: needs.timer,
    traceparent: () => needs.tracer?.traceparent() ?? trace.current(),
  })
  const readInfo = makeReadServiceInfo({ api, now: needs.now, log: needs.log })
  return {
    bridge: createRemoteBridge({ api, readInfo }),
    policy: createRemotePolicy({ api, readInfo, accounts: needs.accounts }),
    remoteIsolation: true,
    inTrace: trace.run,
    close: () => api.close(),
  }
}
