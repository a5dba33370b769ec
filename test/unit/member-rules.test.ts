import { expect } from 'chai'
import { GIVEN_ROLES, judgeMemberChange, type MemberChange } from '#domain/member-rules.ts'
import type { Role } from '#domain/workspace.ts'

const ROLES: readonly (Role | null)[] = [null, 'normal', 'editor', 'admin', 'owner']
const CHANGES: readonly MemberChange[] = [
  ...GIVEN_ROLES.flatMap((role) => [{ kind: 'add', role } as const, { kind: 'role', role } as const]),
  { kind: 'remove' },
]

describe('who may change members', () => {
  const judge = (actor: Role | null, target: Role | null, change: MemberChange, owners: number) =>
    judgeMemberChange({ workspace: 'normal', actor, target, owners }, change).kind

  it('N01 no change that is allowed takes the last owner away, whoever asks', () => {
    for (const actor of ROLES) {
      for (const change of CHANGES) expect(judge(actor, 'owner', change, 1)).to.not.equal('allowed')
    }
  })

  it('N01 below admin nothing is allowed, and who is no member hears nothing but that', () => {
    for (const target of ROLES) {
      for (const change of CHANGES) {
        expect(judge(null, target, change, 2)).to.equal('workspace_not_found')
        for (const actor of ['normal', 'editor'] as const) {
          expect(judge(actor, target, change, 2)).to.equal('role_required')
        }
      }
    }
  })

  it('N01 only owners touch owners, also when others are left', () => {
    for (const change of CHANGES.filter(({ kind }) => kind !== 'add')) {
      expect(judge('admin', 'owner', change, 3)).to.equal('role_required')
      expect(judge('owner', 'owner', change, 3)).to.equal('allowed')
    }
  })

  it('N01 in an archived workspace nothing changes', () => {
    const standing = { workspace: 'archive', actor: 'owner', target: 'normal', owners: 2 } as const
    for (const change of CHANGES) expect(judgeMemberChange(standing, change).kind).to.equal('workspace_not_found')
  })

  it('N01 what is so already is no change', () => {
    expect(judge('owner', 'admin', { kind: 'role', role: 'admin' }, 1)).to.equal('unchanged')
    expect(judge('owner', 'admin', { kind: 'add', role: 'admin' }, 1)).to.equal('already_member')
    expect(judge('owner', null, { kind: 'remove' }, 1)).to.equal('member_not_found')
  })
})
