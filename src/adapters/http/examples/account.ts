import { account, LATER, NOON, onePage, TOKEN_ID, WORKSPACE, workspace } from './scene.ts'

const MEMBER = '019b8ad0-7c00-7000-8000-00000000000b'
const revoked = { status: 'revoked' as const }
const row = { ...workspace, status: 'normal', current: true }
const member = { id: MEMBER, name: 'Max', email: 'max@example.com', role: 'normal', status: 'active' }

/** Olive, her sessions and her workspace, which Max joins. */
export const accountExamples = {
  account: {
    reply: {
      subject_type: 'account' as const,
      subject_email: account.email,
      subject_issuer: null,
      account,
      workspaces: [workspace],
      default_workspace_id: WORKSPACE,
    },
  },
  sessions: {
    query: { page: '1', limit: '100' },
    reply: onePage(100, {
      id: TOKEN_ID,
      prefix: 'dfoa_',
      client_id: 'latchkey',
      device_label: 'Olive’s laptop',
      created_at: NOON,
      last_used_at: NOON,
      expires_at: LATER,
      last_used_ip: '203.0.113.7',
      current: true,
    }),
  },
  revokeSelf: { reply: revoked },
  revokeOne: { params: { id: TOKEN_ID }, reply: revoked },

  workspaces: { reply: { workspaces: [row], ...onePage(200, row) } },
  workspace: { params: { id: WORKSPACE }, reply: { ...row, created_at: NOON } },
  switchWorkspace: { params: { id: WORKSPACE }, reply: row },

  members: { params: { id: WORKSPACE }, query: { page: '1', limit: '100' }, reply: onePage(100, member) },
  addMember: {
    params: { id: WORKSPACE },
    body: { email: member.email, role: 'normal' as const },
    reply: member,
  },
  setRole: {
    params: { id: WORKSPACE, mid: MEMBER },
    body: { role: 'admin' as const },
    reply: { ...member, role: 'admin' },
  },
  removeMember: { params: { id: WORKSPACE, mid: MEMBER }, reply: { result: 'success' as const } },
}
