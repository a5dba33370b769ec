import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import type { Conversation, MessageRecord } from '#application/ports/conversation-store.ts'
import { NO_USAGE } from '#domain/run.ts'
import { anApp, aWorkspace, NOW_MS } from '../support/builders.ts'
import type { Open, Opened } from '../support/seed.ts'

/** What every ConversationStore promises. */
export function conversationStoreContract(name: string, open: Open): void {
  describe(`ConversationStore contract: ${name}`, () => {
    let opened: Opened
    before(async () => {
      opened = await open()
    })
    after(() => opened.close())

    const aConversation = async (): Promise<Conversation> => {
      const workspace = aWorkspace()
      await opened.seed.workspace(workspace)
      const app = anApp({ workspaceId: workspace.id })
      await opened.stores.apps.add(app)
      const conversation: Conversation = {
        id: randomUUID(),
        appId: app.id,
        owner: { kind: 'account', id: randomUUID() },
        name: 'New conversation',
        status: 'normal',
        inputs: { topic: "it's? \\" },
        variables: { count: 1 },
        createdAtMs: NOW_MS,
      }
      await opened.stores.conversations.create(conversation)
      return conversation
    }
    const aMessage = (of: Conversation, overrides: Partial<MessageRecord> = {}): MessageRecord => ({
      id: randomUUID(),
      conversationId: of.id,
      appId: of.appId,
      runId: randomUUID(),
      parentId: null,
      owner: of.owner,
      query: 'q',
      answer: 'a',
      status: 'normal',
      error: null,
      usage: NO_USAGE,
      createdAtMs: NOW_MS,
      ...overrides,
    })

    it('finds a conversation only for its owner and app; foreign, unknown and malformed ids look the same', async () => {
      const { conversations } = opened.stores
      const mine = await aConversation()
      const other = await aConversation()
      expect(await conversations.find(mine.id, mine.appId, mine.owner)).to.deep.equal(mine)
      expect(await conversations.find(mine.id, mine.appId, other.owner)).to.equal(null)
      expect(await conversations.find(mine.id, mine.appId, { kind: 'end_user', id: mine.owner.id })).to.equal(null)
      expect(await conversations.find(mine.id, other.appId, mine.owner)).to.equal(null)
      expect(await conversations.find(randomUUID(), mine.appId, mine.owner)).to.equal(null)
      expect(await conversations.find('nope', mine.appId, mine.owner)).to.equal(null)
    })

    it('remembers the newest good turns, oldest first, and the newest message whatever became of it', async () => {
      const { conversations } = opened.stores
      const chat = await aConversation()
      for (const at of [1, 2, 3]) {
        await conversations.addMessage(aMessage(chat, { query: `q${at}`, answer: `a${at}`, createdAtMs: NOW_MS + at }))
      }
      const failed = aMessage(chat, { status: 'error', error: 'boom', createdAtMs: NOW_MS + 4 })
      await conversations.addMessage(failed)
      expect(await conversations.history(chat.id, { turns: 2, bytes: 100 })).to.deep.equal({
        turns: [
          { query: 'q2', answer: 'a2' },
          { query: 'q3', answer: 'a3' },
        ],
        lastMessageId: failed.id,
      })
      expect(await conversations.history(randomUUID(), { turns: 2, bytes: 100 })).to.deep.equal({
        turns: [],
        lastMessageId: null,
      })
    })

    it('remembers only as many turns as are not too long together, and none before one that is', async () => {
      const { conversations } = opened.stores
      const chat = await aConversation()
      // Four, thirty and six bytes.
      for (const [at, answer] of ['abc', `${'é'.repeat(14)}x`, 'abcde'].entries()) {
        await conversations.addMessage(aMessage(chat, { answer, createdAtMs: NOW_MS + at }))
      }
      const answers = async (bytes: number) =>
        (await conversations.history(chat.id, { turns: 9, bytes })).turns.map(({ answer }) => answer.length)
      expect(await answers(40)).to.deep.equal([3, 15, 5])
      expect(await answers(39)).to.deep.equal([15, 5])
      expect(await answers(35)).to.deep.equal([5])
      expect(await answers(5)).to.deep.equal([])
    })

    it('keeps every assignment when twenty runs save variables at once', async () => {
      const { conversations } = opened.stores
      const chat = await aConversation()
      const names = Array.from({ length: 20 }, (_, at) => `v${at}`)
      await Promise.all(names.map((one) => conversations.saveVariables(chat.id, { [one]: { deep: [one] } })))
      await conversations.saveVariables(chat.id, { count: null })
      const found = await conversations.find(chat.id, chat.appId, chat.owner)
      const saved = Object.fromEntries(names.map((one) => [one, { deep: [one] }]))
      expect(found?.variables).to.deep.equal({ count: null, ...saved })
    })

    it('takes text that a caller or a model can send and a database may not hold', async () => {
      const { conversations } = opened.stores
      const chat = await aConversation()
      await conversations.addMessage(aMessage(chat, { query: 'nul \u0000 byte', answer: 'quote \' ? \\ " $1' }))
      await conversations.saveVariables(chat.id, { text: 'nul \u0000', lone: '\ud800' })
      const { turns } = await conversations.history(chat.id, { turns: 1, bytes: 100 })
      expect(turns[0]?.query).to.match(/^nul .+ byte$/u)
      expect(turns[0]?.answer).to.equal('quote \' ? \\ " $1')
    })
  })
}
