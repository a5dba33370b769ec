import { randomBytes, randomUUID } from 'node:crypto'
import type { NewAccount, NewWorkspace } from '#application/ports/account-directory.ts'
import type { NewApp } from '#application/ports/app-catalog.ts'
import type { RunRecord } from '#application/ports/run-store.ts'
import type { NewToken } from '#application/ports/token-store.ts'
import type { DeviceFlowState } from '#domain/device-flow-state.ts'

/** 2026-01-01T00:00:00Z, where tests start. */
export const NOW_MS = 1_767_225_600_000

const hash = () => randomBytes(32).toString('hex')

/** A pending flow, 15 minutes long. */
export function aFlow(overrides: Partial<DeviceFlowState> = {}): DeviceFlowState {
  return {
    deviceCodeHash: hash(),
    clientId: 'difyctl',
    deviceLabel: 'laptop',
    origin: { ip: '203.0.113.7', userAgent: 'difyctl/1' },
    publicKey: 'cHVibGljLWtleQ',
    createdAtMs: NOW_MS,
    expiresAtMs: NOW_MS + 900_000,
    intervalS: 5,
    lastPolledAtMs: null,
    decision: { status: 'pending', claim: null },
    ...overrides,
  }
}

/** A token of an external person, who needs no account row; 14 days long. */
export function aToken(overrides: Partial<NewToken> = {}): NewToken {
  return {
    id: randomUUID(),
    subject: { type: 'external_sso', email: `${randomUUID()}@partner.example`, issuer: 'https://idp.example' },
    clientId: 'difyctl',
    deviceLabel: 'laptop',
    prefix: 'dfoe_',
    tokenHash: hash(),
    createdAtMs: NOW_MS,
    expiresAtMs: NOW_MS + 14 * 86_400_000,
    ...overrides,
  }
}

/** An active person with an email of their own. */
export function anAccount(overrides: Partial<NewAccount> = {}): NewAccount {
  const id = overrides.id ?? randomUUID()
  return {
    id,
    email: `${id}@example.com`,
    name: 'Ada',
    status: 'active',
    passwordHash: '$scrypt$test',
    createdAtMs: NOW_MS,
    ...overrides,
  }
}

/** An empty workspace. */
export function aWorkspace(overrides: Partial<NewWorkspace> = {}): NewWorkspace {
  return { id: randomUUID(), name: 'Acme', createdAtMs: NOW_MS, ...overrides }
}

/** A published chat app of `workspaceId`. */
export function anApp(overrides: Partial<NewApp> & Pick<NewApp, 'workspaceId'>): NewApp {
  return {
    id: randomUUID(),
    name: 'Helper',
    description: 'Answers questions',
    mode: 'chat',
    createdBy: null,
    createdAtMs: NOW_MS,
    definition: {
      id: randomUUID(),
      kind: 'published',
      dslVersion: '0.3.0',
      workflow: null,
      modelConfig: { pre_prompt: 'Be brief' },
    },
    source: 'kind: app\n',
    ...overrides,
  }
}

/** A run of a workflow, just begun by an account. */
export function aRunRecord(overrides: Partial<RunRecord> & Pick<RunRecord, 'workspaceId' | 'appId'>): RunRecord {
  return {
    id: randomUUID(),
    taskId: randomUUID(),
    workflowId: randomUUID(),
    messageId: randomUUID(),
    conversationId: null,
    mode: 'workflow',
    owner: { kind: 'account', id: randomUUID() },
    createdFrom: 'openapi',
    status: 'running',
    inputs: {},
    createdAtMs: NOW_MS,
    ...overrides,
  }
}
