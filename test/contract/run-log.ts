import { expect } from 'chai'
import type { RunLog } from '#application/ports/run-log.ts'
import type { RunEvent } from '#domain/run.ts'
import type { FakeClock } from '../support/clock.ts'
import { anEnding, aText } from '../support/run-steps.ts'

type Opened = { readonly log: RunLog; readonly clock: FakeClock }

const FREE = { pace: false }
const FRESH = { anew: false }

/** What every RunLog promises. */
export function runLogContract(name: string, open: () => Opened): void {
  describe(`RunLog contract: ${name}`, () => {
    const never = () => new AbortController().signal

    async function all(events: AsyncIterable<RunEvent>): Promise<RunEvent[]> {
      const seen: RunEvent[] = []
      for await (const event of events) seen.push(event)
      return seen
    }

    it('numbers events from 1 without gaps and stamps their instants', async () => {
      const { log, clock } = open()
      await log.begin('r', FRESH)
      const first = await log.append('r', aText('a'), FREE)
      clock.advance(5)
      const second = await log.append('r', aText('b'), FREE)
      expect(first).to.deep.equal({ ...aText('a'), seq: 1, atMs: clock.now() - 5 })
      expect(second).to.deep.equal({ ...aText('b'), seq: 2, atMs: clock.now() })
    })

    it('tells every reader the same, whether it came before, amid or after', async () => {
      const { log } = open()
      await log.begin('r', FRESH)
      const early = all(log.read('r', 1, never()))
      for (let at = 0; at < 20; at++) await log.append('r', aText(String(at)), FREE)
      const amid = all(log.read('r', 1, never()))
      await log.append('r', anEnding(), FREE)
      await log.close('r')
      const late = await all(log.read('r', 1, never()))
      expect(late.map(({ seq }) => seq)).to.deep.equal(Array.from({ length: 21 }, (_, at) => at + 1))
      expect(await early).to.deep.equal(late)
      expect(await amid).to.deep.equal(late)
    })

    it('reads on from any number', async () => {
      const { log } = open()
      await log.begin('r', FRESH)
      for (const letter of 'abc') await log.append('r', aText(letter), FREE)
      await log.append('r', anEnding(), FREE)
      const rest = await all(log.read('r', 3, never()))
      expect(rest.map(({ seq }) => seq)).to.deep.equal([3, 4])
    })

    it('ends readers with the ending, before anybody closes the run', async () => {
      const { log } = open()
      await log.begin('r', FRESH)
      const reading = all(log.read('r', 1, never()))
      await log.append('r', anEnding('done'), FREE)
      expect((await reading).at(-1)?.kind).to.equal('succeeded')
    })

    it('nothing follows an ending', async () => {
      const { log } = open()
      await log.begin('r', FRESH)
      await log.append('r', anEnding(), FREE)
      const more = await log.append('r', aText('more'), FREE).catch((error: unknown) => error)
      expect(more).to.be.instanceOf(Error)
      expect(await all(log.read('r', 1, never()))).to.have.length(1)
    })

    it('ends waiting readers when a run is closed without an ending', async () => {
      const { log } = open()
      await log.begin('r', FRESH)
      const reading = all(log.read('r', 1, never()))
      await log.append('r', aText('a'), FREE)
      await log.close('r')
      expect(await reading).to.have.length(1)
    })

    it('begins the log of a paused run anew, for new readers', async () => {
      const { log } = open()
      await log.begin('r', FRESH)
      const before = all(log.read('r', 1, never()))
      await log.append('r', aText('a'), FREE)
      await log.close('r')
      await before
      await log.begin('r', { anew: true })
      const after = all(log.read('r', 1, never()))
      await log.append('r', anEnding(), FREE)
      expect((await after).map(({ seq, kind }) => [seq, kind])).to.deep.equal([[1, anEnding().kind]])
    })

    it('ends a reader at its signal, waiting or not, and leaves the others', async () => {
      const { log } = open()
      await log.begin('r', FRESH)
      const hangUp = new AbortController()
      const gone = all(log.read('r', 1, hangUp.signal))
      const stays = all(log.read('r', 1, never()))
      await log.append('r', aText('a'), FREE)
      hangUp.abort()
      expect(await gone).to.have.length.at.most(1)
      await log.append('r', anEnding(), FREE)
      expect(await stays).to.have.length(2)
      expect(await all(log.read('r', 1, AbortSignal.abort()))).to.deep.equal([])
    })

    it('keeps runs apart, fifty concurrent ones with two readers each', async () => {
      const { log } = open()
      const one = async (run: string) => {
        await log.begin(run, FRESH)
        const readers = [all(log.read(run, 1, never())), all(log.read(run, 1, never()))]
        for (let at = 0; at < 20; at++) await log.append(run, aText(`${run}:${at}`), { pace: true })
        await log.append(run, anEnding(run), FREE)
        await log.close(run)
        const [a, b] = await Promise.all(readers)
        expect(a).to.deep.equal(b)
        expect(a?.map((event) => (event.kind === 'text' ? event.delta.split(':')[0] : run))).to.deep.equal(
          Array.from({ length: 21 }, () => run),
        )
      }
      await Promise.all(Array.from({ length: 50 }, (_, at) => one(`run-${at}`)))
    })
  })
}
