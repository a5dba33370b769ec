import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import type { RunResult } from '#application/ports/run-store.ts'
import { NOW_MS } from '../support/builders.ts'
import { type Open, type Opened, startedRun } from '../support/seed.ts'

const RESULT: RunResult = {
  status: 'succeeded',
  outputs: { answer: "it's? fine", list: [1, null] },
  error: null,
  usage: { promptTokens: 3, completionTokens: 4, totalTokens: 7 },
  totalSteps: 5,
  exceptionsCount: 1,
  elapsedS: 1.25,
  finishedAtMs: NOW_MS + 1250,
}

/** What every RunStore promises. */
export function runStoreContract(name: string, open: Open): void {
  describe(`RunStore contract: ${name}`, () => {
    let opened: Opened
    before(async () => {
      opened = await open()
    })
    after(() => opened.close())

    const aRun = () => startedRun(opened, { inputs: { name: 'Ada' } })

    it('finds a run by id and by task, running and ended', async () => {
      const { runs } = opened.stores
      const run = await aRun()
      expect(await runs.find(run.id)).to.deep.equal({ ...run, result: null, answer: null })
      expect(await runs.finish(run.id, RESULT)).to.equal(true)
      await opened.stores.conversations.addMessage({
        id: run.messageId,
        conversationId: null,
        appId: run.appId,
        runId: run.id,
        parentId: null,
        owner: run.owner,
        query: 'hi',
        answer: 'Hello',
        status: 'normal',
        error: null,
        usage: RESULT.usage,
        createdAtMs: NOW_MS,
      })
      const ended = { ...run, status: 'succeeded', result: RESULT, answer: 'Hello' }
      expect(await runs.find(run.id)).to.deep.equal(ended)
      expect(await runs.find(run.taskId)).to.deep.equal(ended)
    })

    it('H14 of twenty concurrent endings one is kept', async () => {
      const { runs } = opened.stores
      const run = await aRun()
      const endings = Array.from({ length: 20 }, (_, at) => ({ ...RESULT, totalSteps: at }))
      const won = await Promise.all(endings.map((ending) => runs.finish(run.id, ending)))
      expect(won.filter(Boolean)).to.have.length(1)
      expect((await runs.find(run.id))?.result?.totalSteps).to.equal(won.indexOf(true))
      expect(await runs.finish(run.id, { ...RESULT, status: 'failed' })).to.equal(false)
    })

    it('a paused run can still end', async () => {
      const { runs } = opened.stores
      const run = await aRun()
      expect(await runs.finish(run.id, { ...RESULT, status: 'paused' })).to.equal(true)
      expect(await runs.finish(run.id, RESULT)).to.equal(true)
      expect((await runs.find(run.id))?.status).to.equal('succeeded')
    })

    it('stops what no process carries any more, and nothing else', async () => {
      const { runs } = opened.stores
      const [cut, ended, paused] = [await aRun(), await aRun(), await aRun()]
      await runs.finish(ended.id, RESULT)
      await runs.finish(paused.id, { ...RESULT, status: 'paused' })
      expect(await runs.endAbandoned(NOW_MS + 5000, 60_000)).to.not.include(cut.id)
      expect(await runs.endAbandoned(NOW_MS + 5000, null)).to.include(cut.id)
      const found = await runs.find(cut.id)
      expect(found?.result).to.deep.include({ status: 'stopped', elapsedS: 5, finishedAtMs: NOW_MS + 5000 })
      expect((await runs.find(ended.id))?.status).to.equal('succeeded')
      expect((await runs.find(paused.id))?.status).to.equal('paused')
    })

    it('tells which of the runs that somebody carries have not ended', async () => {
      const { runs } = opened.stores
      const [running, paused, ended] = [await aRun(), await aRun(), await aRun()]
      await runs.finish(ended.id, RESULT)
      await runs.finish(paused.id, { ...RESULT, status: 'paused' })
      const open = await runs.renew([running.id, ended.id, randomUUID(), 'nope', paused.id])
      expect([...open].sort()).to.deep.equal([running.id, paused.id].sort())
      expect(await runs.renew([])).to.deep.equal([])
    })

    it('knows nothing of unknown and malformed ids', async () => {
      const { runs } = opened.stores
      for (const id of [randomUUID(), 'nope', '']) {
        expect(await runs.find(id)).to.equal(null)
        expect(await runs.finish(id, RESULT)).to.equal(false)
      }
    })
  })
}
