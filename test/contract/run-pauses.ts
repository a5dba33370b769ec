import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import type { RunPause } from '#application/ports/run-pauses.ts'
import { NO_USAGE } from '#domain/run.ts'
import { NOW_MS } from '../support/builders.ts'
import { type Open, type Opened, startedRun } from '../support/seed.ts'

/** What every RunPauses promises. */
export function runPausesContract(name: string, open: Open): void {
  describe(`RunPauses contract: ${name}`, () => {
    let opened: Opened
    before(async () => {
      opened = await open()
    })
    after(() => opened.close())

    async function aPause(...tokens: readonly string[]): Promise<RunPause> {
      const { id: runId, taskId, workflowId, messageId, conversationId } = await startedRun(opened)
      const form = { nodeId: 'n', nodeTitle: 'N', content: "it's? ü", fields: [], actions: [], expiresAtMs: NOW_MS }
      return {
        ids: { taskId, runId, workflowId, messageId, conversationId },
        request: { inputs: { a: [1, null] }, query: '', files: [] },
        state: { version: 1, deep: { list: [null, 'x'] } },
        forms: tokens.map((tokenHash) => ({ tokenHash, form: { ...form, formId: randomUUID() } })),
        pausedAtMs: NOW_MS,
      }
    }

    it('gives a pause back by any of its forms, and the run is paused meanwhile', async () => {
      const { runPauses, runs } = opened.stores
      const [one, two] = [randomUUID(), randomUUID()]
      const pause = await aPause(one, two)
      expect(await runPauses.put(pause)).to.equal(true)
      expect((await runs.find(pause.ids.runId))?.status).to.equal('paused')
      expect(await runPauses.find(two)).to.deep.equal(pause)
      expect(await runPauses.find(randomUUID())).to.equal(null)
      expect(await runPauses.take(one)).to.deep.equal(pause)
      expect((await runs.find(pause.ids.runId))?.status).to.equal('running')
      expect(await runPauses.find(two)).to.equal(null)
    })

    it('gives a pause to one of twenty concurrent takers, whichever form they answer', async () => {
      const { runPauses } = opened.stores
      const tokens = [randomUUID(), randomUUID()]
      await runPauses.put(await aPause(...tokens))
      const takes = Array.from({ length: 20 }, (_, at) => runPauses.take(tokens[at % 2] ?? ''))
      expect((await Promise.all(takes)).filter((taken) => taken !== null)).to.have.length(1)
    })

    it('replaces a pause when the run waits again', async () => {
      const { runPauses } = opened.stores
      const token = randomUUID()
      const pause = await aPause(token)
      await runPauses.put(pause)
      await runPauses.take(token)
      const again = { ...pause, state: { version: 1 }, pausedAtMs: NOW_MS + 1 }
      expect(await runPauses.put(again)).to.equal(true)
      expect(await runPauses.find(token)).to.deep.equal(again)
    })

    it('tells which pauses have a form that expired by then, of paused runs only', async () => {
      const { runPauses, runs } = opened.stores
      const [early, late, gone] = [
        await aPause(randomUUID()),
        await aPause(randomUUID(), randomUUID()),
        await aPause('x'),
      ]
      const expiring = (pause: RunPause, ...atMs: readonly number[]): RunPause => ({
        ...pause,
        forms: pause.forms.map((one, at) => ({ ...one, form: { ...one.form, expiresAtMs: atMs[at] ?? 0 } })),
      })
      // Far before any other test's, which share the stores.
      const pauses = [expiring(late, 9_000_000, 2000), expiring(early, 1000), expiring(gone, 1000)]
      for (const pause of pauses) await runPauses.put(pause)
      const ended = { outputs: {}, error: null, usage: NO_USAGE, totalSteps: 0, exceptionsCount: 0, elapsedS: 0 }
      await runs.finish(gone.ids.runId, { ...ended, status: 'stopped', finishedAtMs: NOW_MS })
      const ids = async (nowMs: number, limit = 10) =>
        (await runPauses.expired(nowMs, limit)).map((pause) => pause.ids.runId)
      expect(await ids(999)).to.deep.equal([])
      expect(await ids(1000)).to.deep.equal([early.ids.runId])
      expect(await ids(2000)).to.deep.equal([early.ids.runId, late.ids.runId])
      expect(await ids(2000, 1)).to.deep.equal([early.ids.runId])
      expect(await runPauses.expired(2000, 2)).to.deep.include(pauses[0])
    })

    it('outlives a process that ends what was cut off with the one before it', async () => {
      const { runPauses, runs } = opened.stores
      const token = randomUUID()
      const pause = await aPause(token)
      await runPauses.put(pause)
      await runs.endAbandoned(NOW_MS + 1, null)
      expect(await runPauses.take(token)).to.deep.equal(pause)
    })

    it('neither pauses nor takes up a run that has ended', async () => {
      const { runPauses, runs } = opened.stores
      const ended = {
        status: 'stopped' as const,
        outputs: {},
        error: null,
        usage: NO_USAGE,
        totalSteps: 0,
        exceptionsCount: 0,
        elapsedS: 0,
        finishedAtMs: NOW_MS,
      }
      const token = randomUUID()
      const pause = await aPause(token)
      await runPauses.put(pause)
      await runs.finish(pause.ids.runId, ended)
      expect(await runPauses.find(token)).to.equal(null)
      expect(await runPauses.take(token)).to.equal(null)
      expect(await runPauses.put(pause)).to.equal(false)
      expect((await runs.find(pause.ids.runId))?.status).to.equal('stopped')
    })
  })
}
