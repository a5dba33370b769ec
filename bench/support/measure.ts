import type { Load } from './load.ts'

/** What the bare server says instead of Latchkey. */
export type BareAnswer = {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly status: number
  readonly body: unknown
}

/** One kind of request, put to both servers alike. */
export type Measure = {
  readonly name: 'bearer_get' | 'device_code' | 'pending_poll' | 'limited'
  readonly title: string
  /** Where the bare server keeps this answer. */
  readonly barePath: string
  /** Brings Latchkey into the state that the round is about; not measured. */
  readonly prepare?: () => Promise<void>
  readonly load: () => Load
}
