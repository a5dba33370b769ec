import type { App } from '#domain/app.ts'
import { aclVerdict } from '#domain/app-access.ts'
import type { AuthContext } from '#domain/auth-context.ts'
import { DomainError } from '#domain/errors.ts'
import type { AccessPolicy } from '../ports/app-access.ts'
import type { AppAccess } from './checks.ts'

/**
 * Enterprise access: by the app's access mode where the policy says so, else by membership.
 * @throws DomainError `access_check_failed` when the policy cannot be asked: a fault never lets anybody in
 */
export function makeAclAccess(policy: AccessPolicy, byMembership: AppAccess): AppAccess {
  return async (context, app) => {
    try {
      return (await policy.enabled()) ? await byMode(context, app) : await byMembership(context, app)
    } catch (error) {
      if (error instanceof DomainError && error.code === 'enterprise_failed') {
        throw new DomainError('access_check_failed', {}, { cause: error })
      }
      throw error
    }
  }

  async function byMode({ subject }: AuthContext, app: App): Promise<boolean> {
    const verdict = aclVerdict(await policy.modeOf(app), subject.type)
    return verdict === 'ask' ? policy.permits(subject, app) : verdict === 'admit'
  }
}
