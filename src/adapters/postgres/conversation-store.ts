import type { EntityManager } from '@mikro-orm/sql'
import type { Conversation, ConversationStore, Owner } from '#application/ports/conversation-store.ts'
import type { Turn } from '#domain/run.ts'
import { isUuid } from '#domain/uuid.ts'
import { ConversationRow, MessageRow } from './schema.ts'
import { epochMs, rowOf, rowsOf, storableJson, storableText } from './sql.ts'
import { translateErrors } from './translate-errors.ts'

type FoundConversation = Omit<Conversation, 'owner'> & { readonly ownerKind: Owner['kind']; readonly ownerId: string }

/** Chats in `conversations` and `messages`. */
export function createPostgresConversationStore(em: EntityManager): ConversationStore {
  return translateErrors<ConversationStore>({
    async create(conversation) {
      await em.insert(ConversationRow, {
        id: conversation.id,
        appId: conversation.appId,
        ownerKind: conversation.owner.kind,
        ownerId: conversation.owner.id,
        name: storableText(conversation.name),
        status: conversation.status,
        inputs: storableJson(conversation.inputs),
        variables: storableJson(conversation.variables),
        createdAt: new Date(conversation.createdAtMs),
      })
    },

    async find(id, appId, owner) {
      if (![id, appId, owner.id].every(isUuid)) return null
      const found = await rowOf<FoundConversation>(
        em,
        `select id, app_id as "appId", owner_kind as "ownerKind", owner_id as "ownerId", name, status, inputs,
            variables, ${epochMs('created_at', 'createdAtMs')}
          from conversations where id = ? and app_id = ? and owner_kind = ? and owner_id = ?`,
        [id, appId, owner.kind, owner.id],
      )
      if (found === null) return null
      const { ownerKind, ownerId, ...rest } = found
      return { ...rest, owner: { kind: ownerKind, id: ownerId } }
    },

    async history(id, most) {
      if (!isUuid(id)) return { turns: [], lastMessageId: null }
      const newest = await rowOf<{ id: string }>(
        em,
        'select id from messages where conversation_id = ? order by created_at desc, id desc limit 1',
        [id],
      )
      const turns = await rowsOf<Turn>(
        em,
        `select query, answer from (
            select query, answer, created_at, id,
                sum(octet_length(query) + octet_length(answer)) over (order by created_at desc, id desc) as bytes
              from (
                select query, answer, created_at, id from messages where conversation_id = ? and status = 'normal'
                  order by created_at desc, id desc limit ?
              ) as newest
          ) as counted
          where bytes <= ? order by created_at desc, id desc`,
        [id, most.turns, most.bytes],
      )
      return { turns: turns.toReversed(), lastMessageId: newest?.id ?? null }
    },

    async addMessage(message) {
      await em.insert(MessageRow, {
        id: message.id,
        conversationId: message.conversationId,
        appId: message.appId,
        runId: message.runId,
        parentId: message.parentId,
        ownerKind: message.owner.kind,
        ownerId: message.owner.id,
        query: storableText(message.query),
        answer: storableText(message.answer),
        status: message.status,
        error: message.error === null ? null : storableText(message.error),
        ...message.usage,
        createdAt: new Date(message.createdAtMs),
      })
    },

    async saveVariables(id, variables) {
      if (!isUuid(id)) return
      // Merged by the database: two runs of one conversation keep each other's assignments.
      await rowsOf(em, 'update conversations set variables = variables || ?::jsonb where id = ? returning id', [
        JSON.stringify(storableJson(variables)),
        id,
      ])
    },
  })
}
