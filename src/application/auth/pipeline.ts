import type { App } from '#domain/app.ts'
import type { AuthContext } from '#domain/auth-context.ts'
import type { Origin } from '#domain/device-flow-state.ts'
import type { Scope } from '#domain/scope.ts'
import type { Caller } from './caller.ts'

/** One check. It may only add to what earlier checks established, and refuses by throwing. */
export type Check<In, Out extends In> = (established: In) => Promise<Out>

// Each stage carries what only its check can add, so that a later check cannot run before it.
export type Asked = {
  readonly bearer: string | null
  readonly requires: Scope
  readonly appId: string
  readonly from?: () => Origin
}
export type Known = Asked & { readonly context: AuthContext }
export type Scoped = Known & { readonly scopeChecked: true }
export type AppResolved = Scoped & { readonly app: App }
export type MembershipChecked = AppResolved & { readonly membershipChecked: true }
export type AccessChecked = MembershipChecked & { readonly accessChecked: true }
export type Mounted = AccessChecked & { readonly caller: Caller }

export type AppChecks = {
  readonly bearerCheck: Check<Asked, Known>
  readonly scopeCheck: Check<Known, Scoped>
  readonly appResolver: Check<Scoped, AppResolved>
  readonly membershipCheck: Check<AppResolved, MembershipChecked>
  readonly accessCheck: Check<MembershipChecked, AccessChecked>
  readonly callerMount: Check<AccessChecked, Mounted>
}

/**
 * The six guards of a run, in the only order that compiles: bearer, scope, app, membership, access, caller.
 * The first refusal ends it; later checks are not asked.
 */
export function pipeline(
  bearerCheck: Check<Asked, Known>,
  scopeCheck: Check<Known, Scoped>,
  appResolver: Check<Scoped, AppResolved>,
  membershipCheck: Check<AppResolved, MembershipChecked>,
  accessCheck: Check<MembershipChecked, AccessChecked>,
  callerMount: Check<AccessChecked, Mounted>,
): (asked: Asked) => Promise<Mounted> {
  return async (asked) => {
    const known = await bearerCheck(asked)
    const scoped = await scopeCheck(known)
    const resolved = await appResolver(scoped)
    const member = await membershipCheck(resolved)
    const allowed = await accessCheck(member)
    return callerMount(allowed)
  }
}
