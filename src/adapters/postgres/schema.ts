import { defineEntity, p } from '@mikro-orm/core'

/** Apps as rows. */
export const AppRow = defineEntity({
  name: 'App',
  tableName: 'apps',
  properties: {
    id: p.uuid().primary(),
    tenantId: p.uuid(),
    name: p.text(),
    description: p.text(),
    mode: p.text(),
    createdBy: p.uuid().nullable(),
    createdAt: p.datetime(),
    updatedAt: p.datetime(),
  },
})

/** Versions of an app's definition as rows. */
export const AppDefinitionRow = defineEntity({
  name: 'AppDefinition',
  tableName: 'app_definitions',
  properties: {
    id: p.uuid().primary(),
    appId: p.uuid(),
    kind: p.text(),
    dslVersion: p.text(),
    workflow: p.json().nullable(),
    modelConfig: p.json().nullable(),
    source: p.text(),
    createdBy: p.uuid().nullable(),
    createdAt: p.datetime(),
  },
})

/** Conversations as rows. */
export const ConversationRow = defineEntity({
  name: 'Conversation',
  tableName: 'conversations',
  properties: {
    id: p.uuid().primary(),
    appId: p.uuid(),
    ownerKind: p.text(),
    ownerId: p.uuid(),
    name: p.text(),
    status: p.text(),
    inputs: p.json(),
    variables: p.json(),
    createdAt: p.datetime(),
  },
})

/** Messages as rows. */
export const MessageRow = defineEntity({
  name: 'Message',
  tableName: 'messages',
  properties: {
    id: p.uuid().primary(),
    conversationId: p.uuid().nullable(),
    appId: p.uuid(),
    runId: p.uuid(),
    parentId: p.uuid().nullable(),
    ownerKind: p.text(),
    ownerId: p.uuid(),
    query: p.text(),
    answer: p.text(),
    status: p.text(),
    error: p.text().nullable(),
    promptTokens: p.integer(),
    completionTokens: p.integer(),
    totalTokens: p.integer(),
    createdAt: p.datetime(),
  },
})

/** Runs as rows. */
export const RunRow = defineEntity({
  name: 'WorkflowRun',
  tableName: 'workflow_runs',
  properties: {
    id: p.uuid().primary(),
    taskId: p.uuid(),
    tenantId: p.uuid(),
    appId: p.uuid(),
    workflowId: p.text(),
    messageId: p.uuid().nullable(),
    conversationId: p.uuid().nullable(),
    mode: p.text(),
    ownerKind: p.text(),
    ownerId: p.uuid(),
    createdFrom: p.text(),
    status: p.text(),
    inputs: p.json(),
    outputs: p.json().nullable(),
    error: p.text().nullable(),
    promptTokens: p.integer().default(0),
    completionTokens: p.integer().default(0),
    totalTokens: p.integer().default(0),
    totalSteps: p.integer().default(0),
    exceptionsCount: p.integer().default(0),
    elapsedS: p.double().default(0),
    createdAt: p.datetime(),
    finishedAt: p.datetime().nullable(),
  },
})

/** Refresh tokens of browsers as rows. */
export const RefreshTokenRow = defineEntity({
  name: 'ConsoleRefreshToken',
  tableName: 'console_refresh_tokens',
  properties: {
    hash: p.string().primary(),
    family: p.text(),
    accountId: p.uuid(),
    expiresAt: p.datetime(),
    usedAt: p.datetime().nullable(),
    endedAt: p.datetime().nullable(),
  },
})

/** Audit events as rows. */
export const AuditEventRow = defineEntity({
  name: 'AuditEvent',
  tableName: 'audit_events',
  properties: { id: p.bigint().primary(), event: p.text(), facts: p.json(), at: p.datetime() },
})

/** What is written through the mapper; reads are plain SQL, so no managed entity exists to leave an adapter. */
export const ENTITIES = [AppRow, AppDefinitionRow, ConversationRow, MessageRow, RunRow, RefreshTokenRow, AuditEventRow]
