import { expect } from 'chai'
import type { RunControl } from '#application/ports/run-control.ts'

/** What every RunControl promises. */
export function runControlContract(name: string, open: () => RunControl): void {
  describe(`RunControl contract: ${name}`, () => {
    it('stops the run that carries the task, with the reason, and no other', async () => {
      const control = open()
      const [one, other] = [control.carry('one'), control.carry('other')]
      await control.stop('one', 'user')
      expect(one.signal.aborted).to.equal(true)
      expect(one.signal.reason).to.equal('user')
      expect(other.signal.aborted).to.equal(false)
    })

    it('keeps the first of many concurrent reasons, and aborts once', async () => {
      const control = open()
      const { signal } = control.carry('task')
      let aborts = 0
      signal.addEventListener('abort', () => aborts++)
      await Promise.all([
        control.stop('task', 'hang_up'),
        control.stop('task', 'user'),
        control.stop('task', 'shutdown'),
      ])
      expect(signal.reason).to.equal('hang_up')
      expect(aborts).to.equal(1)
    })

    it('is silent about unknown tasks and about runs that are done', async () => {
      const control = open()
      const { signal, done } = control.carry('task')
      done()
      done()
      await control.stop('task', 'user')
      await control.stop('nobody', 'user')
      expect(signal.aborted).to.equal(false)
    })
  })
}
