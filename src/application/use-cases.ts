import { type AppCases, makeAppCases } from './app-cases.ts'
import { makeAclAccess } from './auth/acl-access.ts'
import { type Authenticate, makeAuthenticate } from './auth/authenticate.ts'
import { makeAppChecks, mountAccount } from './auth/checks.ts'
import { makeExpireToken } from './auth/expire-token.ts'
import { makeRequireMembership, type RequireMembership } from './auth/layer-zero.ts'
import { makeMembershipAccess } from './auth/membership-access.ts'
import { makeMountEndUser } from './auth/mount-end-user.ts'
import { type Asked, type Mounted, pipeline } from './auth/pipeline.ts'
import { makeRequireSubject, type RequireSubject } from './auth/require-subject.ts'
import { makeNoteLimitHit, makeSpend, type Spend } from './auth/spend.ts'
import { makeTokenUsage, type TokenUsage } from './auth/token-use.ts'
import { type FileCases, makeFileCases } from './file-cases.ts'
import type { ReadAudit } from './ports/read-audit.ts'
import type { CoreSettings, Ports } from './ports.ts'
import { makeRunCases, type RunCases } from './run-cases.ts'
import { makeSignInCases, type SignInCases } from './sign-in-cases.ts'
import { makeTokenCases, type TokenCases } from './token-cases.ts'
import { traced } from './traced.ts'
import { type AnswerChallenge, makeAnswerChallenge } from './use-cases/answer-challenge.ts'
import { makeWorkspaceCases, type WorkspaceCases } from './workspace-cases.ts'

/** Everything the core can do; each area is wired in a file of its own. */
export type UseCases = SignInCases &
  TokenCases &
  WorkspaceCases &
  AppCases &
  RunCases &
  FileCases & {
    readonly authenticate: Authenticate
    readonly admitToApp: (asked: Asked) => Promise<Mounted>
    readonly requireSubject: RequireSubject
    readonly spend: Spend
    /** Somebody has to flush what it notes, now and then and at the end. */
    readonly tokenUsage: TokenUsage
    /** An operator's view. */
    readonly readAudit: ReadAudit
    /** For commands of this installation that ask a running server. */
    readonly answerChallenge: AnswerChallenge
  }

/** The core, wired once. */
export function makeUseCases(ports: Ports, settings: CoreSettings): UseCases {
  const noteLimitHit = makeNoteLimitHit(ports)
  const spend = makeSpend(ports, noteLimitHit)
  const expireToken = makeExpireToken(ports)
  const tokenUsage = makeTokenUsage(ports)
  const needs = { ...ports, expireToken, noteLimitHit, spend, tokenUsage }
  const authenticate = guards(ports, {
    authenticate: makeAuthenticate({ ...needs, settings: settings.bearer }),
  }).authenticate
  const requireMembership = makeRequireMembership({ ...ports, settings })
  return {
    authenticate,
    admitToApp: admission(ports, authenticate, requireMembership),
    requireSubject: makeRequireSubject(ports),
    spend,
    tokenUsage,
    readAudit: (query) => ports.readAudit(query),
    answerChallenge: makeAnswerChallenge(ports),
    ...makeSignInCases({ ...ports, spend }, settings),
    ...makeTokenCases(ports, settings),
    ...makeWorkspaceCases(ports),
    ...makeAppCases({ ...ports, requireMembership }),
    ...makeRunCases(ports, settings),
    ...makeFileCases(ports, settings),
  }
}

/** The same guards, each a span where spans are told. */
function guards<T extends object>({ tracer }: Ports, checks: T): T {
  return tracer === undefined ? checks : traced(tracer, 'guard', checks)
}

/** What stands before an app, in the one order that compiles. */
function admission(ports: Ports, authenticate: Authenticate, requireMembership: RequireMembership) {
  const byMembership = makeMembershipAccess(ports.memberships)
  const checks = guards(
    ports,
    makeAppChecks({
      ...ports,
      authenticate,
      requireMembership,
      access: ports.policy === null ? byMembership : makeAclAccess(ports.policy, byMembership),
      mounters: [mountAccount, makeMountEndUser(ports)],
    }),
  )
  return pipeline(
    checks.bearerCheck,
    checks.scopeCheck,
    checks.appResolver,
    checks.membershipCheck,
    checks.accessCheck,
    checks.callerMount,
  )
}
