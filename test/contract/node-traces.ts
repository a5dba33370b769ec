import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import type { NodeTrace } from '#application/ports/node-traces.ts'
import { NOW_MS } from '../support/builders.ts'
import { type Open, type Opened, startedRun } from '../support/seed.ts'

/** What every NodeTraces promises. */
export function nodeTracesContract(name: string, open: Open): void {
  describe(`NodeTraces contract: ${name}`, () => {
    let opened: Opened
    beforeEach(async () => {
      opened = await open()
    })
    afterEach(() => opened.close())

    const aRun = async () => (await startedRun(opened)).id
    const aTrace = (runId: string, index: number, given: Partial<NodeTrace> = {}): NodeTrace => ({
      runId,
      executionId: randomUUID(),
      index,
      nodeId: `n${index}`,
      nodeType: 'llm',
      title: "it's? ü",
      status: 'succeeded',
      inputs: { deep: [{ a: null }, 'x'] },
      outputs: {},
      error: null,
      elapsedMs: 12,
      startedAtMs: NOW_MS,
      usage: { promptTokens: 1, completionTokens: 2, totalTokens: 3 },
      ...given,
    })

    it('gives the traces of one run back by index', async () => {
      const { nodeTraces } = opened.stores
      const [one, other] = [await aRun(), await aRun()]
      const traces = [aTrace(one, 1), aTrace(one, 2, { status: 'failed', error: 'no\nmore' }), aTrace(one, 3)]
      await nodeTraces.add([...traces.toReversed(), aTrace(other, 1)])
      expect(await nodeTraces.list(one, 10)).to.deep.equal(traces)
      expect(await nodeTraces.list(one, 2)).to.have.length(2)
      expect(await nodeTraces.list('none', 10)).to.deep.equal([])
    })

    it('leaves out what is there already, of twenty that add the same, and what belongs to no run', async () => {
      const { nodeTraces } = opened.stores
      const run = await aRun()
      const trace = aTrace(run, 1)
      const lost = aTrace(randomUUID(), 1)
      await Promise.all(Array.from({ length: 20 }, () => nodeTraces.add([trace, lost])))
      expect(await nodeTraces.list(run, 50)).to.deep.equal([trace])
      expect(await nodeTraces.list(lost.runId, 50)).to.deep.equal([])
      await nodeTraces.add([])
    })

    it('forgets what began before the cutoff, so many at a time, each once', async () => {
      const { nodeTraces } = opened.stores
      const run = await aRun()
      const old = [1, 2, 3].map((index) => aTrace(run, index, { startedAtMs: NOW_MS - 1 }))
      const kept = aTrace(run, 4)
      await nodeTraces.add([...old, kept])
      expect(await nodeTraces.forget(NOW_MS, 2)).to.equal(2)
      const counts = await Promise.all([nodeTraces.forget(NOW_MS, 2), nodeTraces.forget(NOW_MS, 2)])
      expect(counts.toSorted()).to.deep.equal([0, 1])
      expect(await nodeTraces.list(run, 10)).to.deep.equal([kept])
    })
  })
}
