import { atLeast, type Role, type WorkspaceStatus } from './workspace.ts'

/** What a member can be made; ownership is not handed out. */
export const GIVEN_ROLES = ['normal', 'admin'] as const
export type GivenRole = (typeof GIVEN_ROLES)[number]

/** What is done to one membership. */
export type MemberChange =
  | { readonly kind: 'add'; readonly role: GivenRole }
  | { readonly kind: 'role'; readonly role: GivenRole }
  | { readonly kind: 'remove' }

/** How things stand in a workspace between who asks and whom it concerns; null is no member, or no workspace. */
export type Standing = {
  readonly workspace: WorkspaceStatus | null
  readonly actor: Role | null
  readonly target: Role | null
  readonly owners: number
}

export type MemberVerdict =
  | { readonly kind: 'allowed' }
  /** It is so already. */
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'role_required'; readonly role: 'admin' | 'owner' }
  | { readonly kind: 'workspace_not_found' | 'member_not_found' | 'already_member' | 'last_owner' }

/**
 * Whether a change of members may happen: owners and admins change, only owners change owners, and one owner stays.
 * Who is no member learns nothing of the workspace.
 */
export function judgeMemberChange({ workspace, actor, target, owners }: Standing, change: MemberChange): MemberVerdict {
  if (workspace !== 'normal' || actor === null) return { kind: 'workspace_not_found' }
  if (!atLeast(actor, 'admin')) return { kind: 'role_required', role: 'admin' }
  if (change.kind === 'add') return { kind: target === null ? 'allowed' : 'already_member' }
  if (target === null) return { kind: 'member_not_found' }
  if (target === 'owner' && actor !== 'owner') return { kind: 'role_required', role: 'owner' }
  if (target === 'owner' && owners <= 1) return { kind: 'last_owner' }
  return { kind: change.kind === 'role' && change.role === target ? 'unchanged' : 'allowed' }
}
