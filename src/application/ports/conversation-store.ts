import type { Json, JsonObject } from '#domain/app.ts'
import type { TokenUsage, Turn } from '#domain/run.ts'

/** Who a conversation or run belongs to: an account, or an end user of one app. */
export type Owner = { readonly kind: 'account' | 'end_user'; readonly id: string }

export type Conversation = {
  readonly id: string
  readonly appId: string
  readonly owner: Owner
  readonly name: string
  readonly status: string
  readonly inputs: JsonObject
  /** Conversation variables of a chat graph, by name. */
  readonly variables: JsonObject
  readonly createdAtMs: number
}

export type MessageRecord = {
  readonly id: string
  readonly conversationId: string | null
  readonly appId: string
  readonly runId: string
  readonly parentId: string | null
  readonly owner: Owner
  readonly query: string
  readonly answer: string
  readonly status: 'normal' | 'error' | 'stopped'
  readonly error: string | null
  readonly usage: TokenUsage
  readonly createdAtMs: number
}

/** How much of a conversation a run remembers; bytes of questions and answers together, as UTF-8. */
export type MostHistory = { readonly turns: number; readonly bytes: number }

/** More than any model takes, and little enough to be read for each of many runs at once. */
export const REMEMBERED: MostHistory = { turns: 100, bytes: 4_194_304 }

/** Chats and what was said in them. */
export interface ConversationStore {
  create(conversation: Conversation): Promise<void>
  /** Only the owner's own and of this app; everybody else gets null, as for an unknown id. */
  find(id: string, appId: string, owner: Owner): Promise<Conversation | null>
  /** The turns that ended well, oldest first, as many of the newest as `most` allows; and the id of the newest message. */
  history(
    id: string,
    most: MostHistory,
  ): Promise<{ readonly turns: readonly Turn[]; readonly lastMessageId: string | null }>
  addMessage(message: MessageRecord): Promise<void>
  saveVariables(id: string, variables: Readonly<Record<string, Json>>): Promise<void>
}
