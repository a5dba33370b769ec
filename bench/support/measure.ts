import type { Load } from './load.ts'
import type { ServerProcess } from './server-process.ts'

/** What the bare server says instead of Latchkey. */
export type BareAnswer = {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly status: number
  readonly body: unknown
}

/** Where the bare server derives the key pair of a device code, and does nothing else. */
export const KEY_PAIR_PATH = '/openapi/v1/key_pair'

export const TITLES = {
  bearer_get: 'GET /workspaces with a warm bearer',
  limited: 'GET /workspaces beyond the limit: 429',
  device_code: 'POST /oauth/device/code',
  pending_poll: 'POST /oauth/device/token, still pending',
} as const
export type MeasureName = keyof typeof TITLES
/** What all who take part can do. */
export type DeviceMeasureName = 'device_code' | 'pending_poll'

/** One kind of request, as one server gets it. */
export type Measure = {
  /** Brings the server into the state that the round is about; not measured. */
  readonly prepare?: () => Promise<void>
  readonly load: () => Load
}

/** A server, and the requests it is measured by. */
export type Contestant<Name extends MeasureName = MeasureName> = {
  readonly server: ServerProcess
  readonly measures: { readonly [N in Name]: Measure }
}
