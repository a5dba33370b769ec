import { familyOf } from '#domain/app-mode.ts'
import type { Turn } from '#domain/run.ts'
import type { Mounted } from '../auth/pipeline.ts'
import type { Clock } from '../ports/clock.ts'
import { type Conversation, type ConversationStore, REMEMBERED } from '../ports/conversation-store.ts'
import type { NewId } from '../ports/secrets.ts'
import type { Carriage } from './carry-run.ts'
import type { CheckedRun } from './check-run.ts'

type Needs = { conversations: ConversationStore; newId: NewId; now: Clock }

/** The conversation a run belongs to, null where its mode has none, and what was said in it before. */
export type OpenedConversation = Pick<Carriage, 'newConversation' | 'parentMessageId'> & {
  readonly conversation: Conversation | null
  readonly turns: readonly Turn[]
}

/** `named` takes the name of a new one from its first question. */
export type OpenConversation = (
  admitted: Pick<Mounted, 'app' | 'caller'>,
  checked: Pick<CheckedRun, 'conversation' | 'request'>,
  named: boolean,
) => Promise<OpenedConversation>

const NAME_LENGTH = 60

/** Reads back the conversation that goes on, or thinks of a new one; stores nothing. */
export function makeOpenConversation({ conversations, newId, now }: Needs): OpenConversation {
  return async ({ app, caller }, { conversation, request }, named) => {
    if (conversation !== null) {
      const { turns, lastMessageId } = await conversations.history(conversation.id, REMEMBERED)
      return { conversation, newConversation: null, turns, parentMessageId: lastMessageId }
    }
    const unspoken = { turns: [], parentMessageId: null }
    if (familyOf(app.mode) !== 'chat') return { conversation: null, newConversation: null, ...unspoken }
    const { inputs, query } = request
    const fresh: Conversation = {
      id: newId(),
      appId: app.id,
      owner: caller.owner,
      name: named ? query.trim().slice(0, NAME_LENGTH) : 'New conversation',
      status: 'normal',
      inputs,
      variables: {},
      createdAtMs: now(),
    }
    return { conversation: fresh, newConversation: fresh, ...unspoken }
  }
}
