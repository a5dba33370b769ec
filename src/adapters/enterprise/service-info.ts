import * as v from 'valibot'
import type { Clock } from '#application/ports/clock.ts'
import type { Log } from '#application/ports/log.ts'
import type { InnerApi } from './inner-api.ts'

/** What the service says of itself. */
export type ServiceInfo = {
  readonly licenseStatus: string
  /** Whether apps are guarded by access modes. */
  readonly webAppAuth: boolean
}

/**
 * Remembered in this process; of calls at the same time one asks.
 * @throws DomainError `enterprise_failed`, remembered as well
 */
export type ReadServiceInfo = () => Promise<ServiceInfo>

const Info = v.object({
  License: v.object({ status: v.string() }),
  WebAppAuth: v.nullish(v.object({ enabled: v.nullish(v.boolean()) })),
})

const VALID = ['active', 'expiring']
const KEPT_MS = { valid: 600_000, otherwise: 30_000 }

export function makeReadServiceInfo({ api, now, log }: { api: InnerApi; now: Clock; log: Log }): ReadServiceInfo {
  let kept: { readonly info: Promise<ServiceInfo>; untilMs: number } | null = null

  async function ask(): Promise<ServiceInfo> {
    const { License, WebAppAuth } = await api.get('/info', {}, Info)
    return { licenseStatus: License.status, webAppAuth: WebAppAuth?.enabled === true }
  }

  return () => {
    if (kept !== null && now() < kept.untilMs) return kept.info
    const flight = { info: ask(), untilMs: Number.POSITIVE_INFINITY }
    kept = flight
    flight.info.then(
      ({ licenseStatus }) => {
        flight.untilMs = now() + (VALID.includes(licenseStatus) ? KEPT_MS.valid : KEPT_MS.otherwise)
      },
      (error: unknown) => {
        flight.untilMs = now() + KEPT_MS.otherwise
        // The gate answers 404 without a word, so that this is the only place where an operator can see why.
        log.error('the Enterprise service does not say what it licenses', { error })
      },
    )
    return flight.info
  }
}
