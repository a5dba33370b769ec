import { type BindingSubject, type BindingTarget, providerKey } from '#domain/binding.ts'
import { bindingIssues } from '#domain/binding-rules.ts'
import { DomainError } from '#domain/errors.ts'
import { atLeast } from '#domain/workspace.ts'
import type { MembershipDirectory } from '../ports/account-directory.ts'
import type { AppCatalog } from '../ports/app-catalog.ts'
import type { BindingStore, StoredBinding } from '../ports/bindings.ts'
import type { Clock } from '../ports/clock.ts'
import type { SecretBox } from '../ports/secrets.ts'

type Needs = {
  bindings: BindingStore
  apps: AppCatalog
  memberships: MembershipDirectory
  secretBox: SecretBox
  now: Clock
}

type Who = { readonly accountId: string; readonly workspaceId: string }

/** A binding as its owners see it: the key is never shown again. */
export type ShownBinding = Omit<StoredBinding, 'workspaceId' | 'sealedKey'> & {
  /** `lost`: sealed by a key that this server no longer has, so it must be set again. */
  readonly key: 'none' | 'kept' | 'lost'
}

export type NewBinding = {
  readonly subject: BindingSubject
  readonly target: BindingTarget
  /** Undefined keeps the key that is there, as long as it goes to the same place. */
  readonly key?: string | null | undefined
}

export type ManageBindings = {
  /** @throws DomainError `workspace_not_found` | `role_required` */
  list(who: Who): Promise<readonly ShownBinding[]>
  /** @throws DomainError `workspace_not_found` | `role_required` | `invalid_input` */
  set(who: Who, binding: NewBinding): Promise<ShownBinding>
  /** @throws DomainError `workspace_not_found` | `role_required` | `not_found` */
  remove(who: Who, subject: BindingSubject): Promise<void>
}

/** What a workspace's admins bind its apps' models, datasets and tools to. */
export function makeManageBindings({ bindings, apps, memberships, secretBox, now }: Needs): ManageBindings {
  async function requireAdmin({ accountId, workspaceId }: Who): Promise<void> {
    const membership = await memberships.find(accountId, workspaceId)
    if (membership === null || membership.status !== 'normal') throw new DomainError('workspace_not_found', {})
    if (!atLeast(membership.role, 'admin')) throw new DomainError('role_required', { role: 'admin' })
  }

  async function requireUsable(workspaceId: string, { subject, target, key = null }: NewBinding): Promise<void> {
    const issues = [...bindingIssues(subject, target, key)]
    if (target.via === 'app' && (await apps.find(target.appId))?.workspaceId !== workspaceId) {
      issues.push({ type: 'value_error', loc: ['app_id'], msg: 'is no app of this workspace' })
    }
    if (subject.kind === 'app' && (await apps.find(subject.name))?.workspaceId !== workspaceId) {
      issues.push({ type: 'value_error', loc: ['name'], msg: 'must be the id of an app of this workspace' })
    }
    if (issues.length > 0) throw new DomainError('invalid_input', { issues })
  }

  /** A key is for one place: whoever points the binding elsewhere must bring the key for there. */
  async function keptKey(workspaceId: string, subject: BindingSubject, target: BindingTarget): Promise<string | null> {
    const before = (await bindings.list(workspaceId)).find((one) => isSame(one.subject, subject))
    return before !== undefined && originOf(before.target) === originOf(target) ? before.sealedKey : null
  }

  const shown = ({ subject, target, sealedKey, updatedAtMs }: StoredBinding): ShownBinding => ({
    subject,
    target,
    updatedAtMs,
    key: sealedKey === null ? 'none' : secretBox.open(sealedKey) === null ? 'lost' : 'kept',
  })

  return {
    async list(who) {
      await requireAdmin(who)
      return (await bindings.list(who.workspaceId)).map(shown)
    },

    async set(who, given) {
      await requireAdmin(who)
      const { workspaceId } = who
      const binding = { ...given, subject: normal(given.subject) }
      await requireUsable(workspaceId, binding)
      const { subject, target, key } = binding
      const sealedKey =
        key === undefined ? await keptKey(workspaceId, subject, target) : key === null ? null : secretBox.seal(key)
      const stored = { workspaceId, subject, target, sealedKey, updatedAtMs: now() }
      await bindings.put(stored)
      return shown(stored)
    },

    async remove(who, subject) {
      await requireAdmin(who)
      if (!(await bindings.remove(who.workspaceId, normal(subject)))) throw new DomainError('not_found', {})
    },
  }
}

function normal({ kind, provider, name }: BindingSubject): BindingSubject {
  const hasProvider = kind === 'model' || kind === 'tool'
  return { kind, provider: hasProvider ? providerKey(provider) : '', name: name.trim() }
}

function isSame(a: BindingSubject, b: BindingSubject): boolean {
  return a.kind === b.kind && a.provider === b.provider && a.name === b.name
}

function originOf(target: BindingTarget): string | null {
  return 'url' in target && URL.canParse(target.url) ? new URL(target.url).origin : null
}
