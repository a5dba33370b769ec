import type { ConversationStore } from '#application/ports/conversation-store.ts'
import type { MemoryDatabase } from './database.ts'
import { descending } from './ordering.ts'

/** Chats of one process. */
export function createMemoryConversationStore(database: MemoryDatabase): ConversationStore {
  const { conversations, messages } = database
  return {
    create: (conversation) => database.run(() => conversations.set(conversation.id, conversation)),

    find: (id, appId, owner) =>
      database.run(() => {
        const found = conversations.get(id)
        const own = found?.appId === appId && found.owner.kind === owner.kind && found.owner.id === owner.id
        return found !== undefined && own ? found : null
      }),

    history: (id, most) =>
      database.run(() => {
        const newestFirst = messages
          .rows()
          .filter((message) => message.conversationId === id)
          .toSorted((a, b) => descending(a.createdAtMs, b.createdAtMs) || descending(a.id, b.id))
        let bytes = 0
        const turns = newestFirst
          .filter((message) => message.status === 'normal')
          .slice(0, most.turns)
          .filter(({ query, answer }) => {
            bytes += Buffer.byteLength(query) + Buffer.byteLength(answer)
            return bytes <= most.bytes
          })
          .map(({ query, answer }) => ({ query, answer }))
          .toReversed()
        return { turns, lastMessageId: newestFirst[0]?.id ?? null }
      }),

    addMessage: (message) => database.run(() => messages.set(message.id, message)),

    saveVariables: (id, variables) =>
      database.run(() => {
        const found = conversations.get(id)
        if (found === undefined) return
        conversations.set(id, { ...found, variables: { ...found.variables, ...variables } })
      }),
  }
}
