import { deny } from '#domain/device-flow-state.ts'
import { DomainError } from '#domain/errors.ts'
import type { AuditLog } from '../ports/audit-log.ts'
import type { Clock } from '../ports/clock.ts'
import type { DeviceFlowStore } from '../ports/device-flow-store.ts'
import type { UnitOfWork } from '../ports/unit-of-work.ts'
import { decideFlow, requireFlowHash } from './decide-flow.ts'

type Needs = { flows: DeviceFlowStore; audit: AuditLog; unitOfWork: UnitOfWork; now: Clock }

export type DenyDevice = (input: {
  readonly accountId: string
  readonly userCode: string
  readonly ip: string
}) => Promise<void>

/**
 * A signed-in person turns the device away; final, and heard at its next poll.
 * @throws DomainError `expired_or_unknown` | `already_resolved` | `approve_in_progress`
 */
export function makeDenyDevice({ flows, audit, unitOfWork, now }: Needs): DenyDevice {
  return async ({ accountId, userCode, ip }) => {
    const hash = await requireFlowHash(flows, userCode)
    const flow = await flows.find(hash)
    if (flow === null) throw new DomainError('expired_or_unknown', {})
    const { clientId, deviceLabel } = flow
    // The row is written first and rolls back with a lost race, so no denial goes unrecorded.
    await unitOfWork(async () => {
      await audit.append({ event: 'oauth.device_flow_denied', facts: { accountId, clientId, deviceLabel, ip } }, now())
      await decideFlow(flows, hash, (seen) => deny(seen, now()))
    })
  }
}
