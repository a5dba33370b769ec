import { expiryOf } from '#domain/ttl-policy.ts'
import { type ApprovalGuards, makeApprovalGuards } from './auth/approval-grant.ts'
import { type ConsoleGuards, makeConsoleGuards } from './auth/console-session.ts'
import type { Spend } from './auth/spend.ts'
import type { IdentityBridge } from './ports/identity-bridge.ts'
import type { CoreSettings, Ports } from './ports.ts'
import { type ApproveDevice, makeApproveDevice } from './use-cases/approve-device.ts'
import { type ApproveExternal, makeApproveExternal } from './use-cases/approve-external.ts'
import { type BeginSso, makeBeginSso } from './use-cases/begin-sso.ts'
import { type ChangeExternal, makeChangeExternal } from './use-cases/change-external.ts'
import { type CompleteSso, makeCompleteSso } from './use-cases/complete-sso.ts'
import { type ConsoleSessions, makeConsoleSessions } from './use-cases/console-sessions.ts'
import { type CreateAccount, makeCreateAccount } from './use-cases/create-account.ts'
import { type DenyDevice, makeDenyDevice } from './use-cases/deny-device.ts'
import { type DescribeFeatures, makeDescribeFeatures } from './use-cases/describe-features.ts'
import { type FinishSso, makeFinishSso } from './use-cases/finish-sso.ts'
import { makeSetUpGuard, type SetUpGuard } from './use-cases/guard-set-up.ts'
import { type HearLogout, makeHearLogout } from './use-cases/hear-logout.ts'
import { type LookUpUserCode, makeLookUpUserCode } from './use-cases/look-up-user-code.ts'
import { makePollToken, type PollToken } from './use-cases/poll-token.ts'
import { makePreviewApproval, type PreviewApproval } from './use-cases/preview-approval.ts'
import { randomText } from './use-cases/random-text.ts'
import { makeSetUp, type SetUp } from './use-cases/set-up.ts'
import { makeStartDeviceFlow, type StartDeviceFlow } from './use-cases/start-device-flow.ts'

/** How a person gets in, in a browser or at a terminal, with an account or from a company. */
export type SignInCases = {
  readonly setUpGuard: SetUpGuard
  readonly setUp: SetUp
  readonly createAccount: CreateAccount
  readonly consoleGuards: ConsoleGuards
  readonly consoleSessions: ConsoleSessions
  readonly startDeviceFlow: StartDeviceFlow
  readonly lookUpUserCode: LookUpUserCode
  readonly previewApproval: PreviewApproval
  readonly approveDevice: ApproveDevice
  readonly denyDevice: DenyDevice
  readonly pollToken: PollToken
  /** When a token that is minted at `nowMs` runs out. */
  readonly tokenExpiry: (nowMs: number) => number
  readonly approvalGuards: ApprovalGuards
  /** A name for a browser that sets out for an external sign-on; a secret. */
  readonly newBrowserName: () => string
  readonly beginSso: BeginSso
  readonly finishSso: FinishSso
  readonly completeSso: CompleteSso
  readonly approveExternal: ApproveExternal
  readonly identityBridge: IdentityBridge | null
  readonly describeFeatures: DescribeFeatures
  readonly changeExternal: ChangeExternal
  readonly hearLogout: HearLogout
}

export function makeSignInCases(ports: Ports & { readonly spend: Spend }, settings: CoreSettings): SignInCases {
  const setUpGuard = makeSetUpGuard({ ...ports, settings })
  const changeExternal = makeChangeExternal(ports)
  return {
    setUpGuard,
    setUp: makeSetUp({ ...ports, setUpGuard }),
    createAccount: makeCreateAccount(ports),
    consoleGuards: makeConsoleGuards({
      ...ports,
      settings: { bearerEnabled: settings.bearer.enabled, decidePerHour: settings.decidePerHour },
    }),
    consoleSessions: makeConsoleSessions({ ...ports, settings }),
    startDeviceFlow: makeStartDeviceFlow({ ...ports, settings }),
    lookUpUserCode: makeLookUpUserCode(ports),
    previewApproval: makePreviewApproval({ ...ports, settings }),
    approveDevice: makeApproveDevice({ ...ports, settings }),
    denyDevice: makeDenyDevice(ports),
    pollToken: makePollToken(ports),
    tokenExpiry: (nowMs) => expiryOf(nowMs, settings.tokenTtlDays),
    approvalGuards: makeApprovalGuards({
      ...ports,
      settings: { ...settings, bearerEnabled: settings.bearer.enabled },
    }),
    newBrowserName: () => randomText(ports.randomBytes, 32),
    beginSso: makeBeginSso({ ...ports, settings }),
    finishSso: makeFinishSso({ ...ports, settings }),
    completeSso: makeCompleteSso({ ...ports, settings }),
    approveExternal: makeApproveExternal({ ...ports, settings }),
    identityBridge: ports.bridge,
    describeFeatures: makeDescribeFeatures({ ...ports, settings }),
    changeExternal,
    hearLogout: makeHearLogout({ ...ports, changeExternal }),
  }
}
