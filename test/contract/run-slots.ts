import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import type { RunSlots } from '#application/ports/run-slots.ts'

/** What every RunSlots promises. `open` gives two processes' views of the same slots. */
export function runSlotsContract(name: string, open: () => readonly [RunSlots, RunSlots]): void {
  describe(`RunSlots contract: ${name}`, () => {
    const aSlot = (workspaceId: string) => ({ workspaceId, runId: randomUUID() })

    it('gives exactly the limit of fifty concurrent runs a slot', async () => {
      const [here, there] = open()
      const takes = Array.from({ length: 50 }, (_, at) => (at % 2 === 0 ? here : there).take(aSlot('w'), 7))
      expect((await Promise.all(takes)).filter(Boolean)).to.have.length(7)
    })

    it('keeps workspaces apart', async () => {
      const [here, there] = open()
      expect(await here.take(aSlot('a'), 1)).to.equal(true)
      expect(await there.take(aSlot('b'), 1)).to.equal(true)
      expect(await there.take(aSlot('a'), 1)).to.equal(false)
    })

    it('has room again for each that is freed, once however often it is', async () => {
      const [here, there] = open()
      const slot = aSlot('w')
      await here.take(slot, 1)
      await here.free(slot)
      await here.free(slot)
      await there.free(aSlot('w'))
      expect(await there.take(aSlot('w'), 1)).to.equal(true)
      expect(await here.take(aSlot('w'), 1)).to.equal(false)
    })

    it('keeps a run that goes on above the limit', async () => {
      const [here, there] = open()
      await here.take(aSlot('w'), 1)
      await there.renew([aSlot('w')])
      expect(await here.take(aSlot('w'), 2)).to.equal(false)
    })
  })
}
