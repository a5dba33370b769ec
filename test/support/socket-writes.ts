import type { Socket } from 'node:net'
import sinon from 'sinon'

/** Counts what a socket hands to the system, however many pieces a piece of code gave it. */
export function countWrites(socket: Socket) {
  const one = sinon.spy(socket, '_write')
  const several = sinon.spy(socket, '_writev')
  return {
    count: () => one.callCount + several.callCount,
    stop() {
      one.restore()
      several.restore()
    },
  }
}
