import type { Clock } from '../ports/clock.ts'
import type { EndUsers } from '../ports/end-users.ts'
import type { NewId } from '../ports/secrets.ts'
import type { CallerMounter } from './checks.ts'

/** External subjects own their runs through one end user an app. */
export function makeMountEndUser(needs: { endUsers: EndUsers; newId: NewId; now: Clock }): CallerMounter {
  return async ({ subject }, { id: appId, workspaceId }) => {
    if (subject.type !== 'external_sso') return null
    const { issuer, email } = subject
    const id = await needs.endUsers.getOrCreate({ id: needs.newId(), workspaceId, appId, issuer, email }, needs.now())
    return { kind: 'end_user', owner: { kind: 'end_user', id }, workspaceId }
  }
}
