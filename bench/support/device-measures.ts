import type { Shot } from './load.ts'
import type { DeviceMeasureName, Measure } from './measure.ts'
import { addressSource, cycle } from './shots.ts'

/** How one server is asked for a device code, and whether a person has decided yet. */
export type DeviceRequests = {
  readonly start: (address: string) => Shot
  readonly poll: (deviceCode: string, address: string) => Shot
  /** How many of the youngest flows are polled in turn; all, unless told. */
  readonly polled?: number
}

/** Requests of a round. What waits at once stays far below what a memory store holds, over all rounds. */
const REQUESTS_A_ROUND = 3_000

/** Both halves of the wait: a round polls the flows that it started, so that none was polled before. */
export function deviceMeasures(
  { start, poll, polled = REQUESTS_A_ROUND }: DeviceRequests,
  requests = REQUESTS_A_ROUND,
): {
  readonly [Name in DeviceMeasureName]: Measure
} {
  const addresses = addressSource()
  const until = { requests }
  let started: string[] = []
  return {
    device_code: {
      load() {
        started = []
        return {
          next: () => start(addresses()),
          expectStatus: 200,
          until,
          onBody(body) {
            started.push(deviceCodeOf(body))
          },
        }
      },
    },
    pending_poll: {
      load: () => ({
        next: cycle(started.slice(-polled), (code) => poll(code, addresses())),
        expectStatus: 400,
        // RFC 8628 §3.5; other refusals have the same status.
        expectText: 'authorization_pending',
        until,
      }),
    },
  }
}

function deviceCodeOf(body: string): string {
  const { device_code }: { readonly device_code: string } = JSON.parse(body)
  return device_code
}
