import {
  DEVICE_FLOW_LIFETIME_S,
  type DeviceFlowState,
  type Origin,
  POLL_INTERVAL_S,
} from '#domain/device-flow-state.ts'
import { DomainError } from '#domain/errors.ts'
import { drawUserCode, USER_CODE_ALPHABET } from '#domain/user-code.ts'
import type { AuditLog } from '../ports/audit-log.ts'
import type { Clock } from '../ports/clock.ts'
import type { DeviceFlowStore } from '../ports/device-flow-store.ts'
import type { Digest, RandomBytes, TokenSeal } from '../ports/secrets.ts'
import { randomText } from './random-text.ts'

type Needs = {
  flows: DeviceFlowStore
  seal: TokenSeal
  digest: Digest
  randomBytes: RandomBytes
  audit: AuditLog
  now: Clock
  settings: { readonly knownClientIds: readonly string[] }
}

export type StartDeviceFlow = (input: {
  readonly clientId: string
  /** Null when the client named none. */
  readonly deviceLabel: string | null
  readonly origin: Origin
}) => Promise<{
  readonly deviceCode: string
  readonly userCode: string
  readonly expiresInS: number
  readonly intervalS: number
}>

const DEVICE_CODE_BYTES = 24
const USER_CODE_DRAWS = 5
const MADE_UP_LABEL_LENGTH = 240

/**
 * RFC 8628 §3.1–3.2: hands out a device code and a user code. Only the device code's digest and the public key
 * it derives are stored.
 * @throws DomainError `unsupported_client` | `user_code_exhausted`
 */
export function makeStartDeviceFlow(needs: Needs): StartDeviceFlow {
  const { flows, seal, digest, randomBytes, audit, now, settings } = needs
  return async ({ clientId, deviceLabel, origin }) => {
    if (!settings.knownClientIds.includes(clientId)) throw new DomainError('unsupported_client', {})
    const deviceCode = `dc_${randomText(randomBytes, DEVICE_CODE_BYTES)}`
    const label = deviceLabel ?? madeUpLabel(origin.userAgent ?? clientId)
    const flow: DeviceFlowState = {
      deviceCodeHash: digest(deviceCode),
      clientId,
      deviceLabel: label,
      origin,
      publicKey: seal.publicKeyOf(deviceCode),
      createdAtMs: now(),
      expiresAtMs: now() + DEVICE_FLOW_LIFETIME_S * 1000,
      intervalS: POLL_INTERVAL_S,
      lastPolledAtMs: null,
      decision: { status: 'pending', claim: null },
    }
    const userCode = await insertUnderFreeCode(flow)
    await audit.append(
      { event: 'oauth.device_code_issued', facts: { clientId, deviceLabel: label, ip: origin.ip } },
      now(),
    )
    return { deviceCode, userCode, expiresInS: DEVICE_FLOW_LIFETIME_S, intervalS: POLL_INTERVAL_S }
  }

  async function insertUnderFreeCode(flow: DeviceFlowState): Promise<string> {
    for (let draw = 0; draw < USER_CODE_DRAWS; draw++) {
      const userCode = drawUserCode(randomBytes)
      if (await flows.insert(flow, userCode)) return userCode
    }
    throw new DomainError('user_code_exhausted', {})
  }

  /** Two installs with one User-Agent must not share a label: the second would log the first out. */
  function madeUpLabel(base: string): string {
    const letters = [...randomBytes(4)].map((byte) => USER_CODE_ALPHABET[byte % USER_CODE_ALPHABET.length])
    return `${base.replaceAll(/[^\x20-\x7e]/g, '').slice(0, MADE_UP_LABEL_LENGTH)} #${letters.join('')}`
  }
}
