import type { AuthContext } from '#domain/auth-context.ts'
import { DomainError } from '#domain/errors.ts'
import type { Membership } from '#domain/workspace.ts'

/** One of the caller's workspaces. @throws DomainError `workspace_not_found` for unknown and foreign ids alike */
export function describeWorkspace({ memberships }: AuthContext, workspaceId: string): Membership {
  const wanted = workspaceId.toLowerCase()
  const membership = memberships.find((one) => one.workspaceId === wanted)
  if (membership === undefined) throw new DomainError('workspace_not_found', {})
  return membership
}
