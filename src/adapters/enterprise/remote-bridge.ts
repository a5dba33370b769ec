import * as v from 'valibot'
import type { IdentityBridge } from '#application/ports/identity-bridge.ts'
import { DomainError } from '#domain/errors.ts'
import type { InnerApi } from './inner-api.ts'
import type { ReadServiceInfo } from './service-info.ts'

/** Longer ones do not fit into the headers that proxies let through. */
const MAX_URL_LENGTH = 8192

const SignOn = v.object({
  url: v.nullish(v.union([v.literal(''), v.pipe(v.string(), v.maxLength(MAX_URL_LENGTH), v.check(isWebUrl))])),
})

/** An Enterprise service signs people on; it comes back with an assertion under the key that we share. */
export function createRemoteBridge({ api, readInfo }: { api: InnerApi; readInfo: ReadServiceInfo }): IdentityBridge {
  return {
    async licenseStatus() {
      try {
        return (await readInfo()).licenseStatus
      } catch (error) {
        if (error instanceof DomainError && error.code === 'enterprise_failed') return null
        throw error
      }
    },
    protocol: async () => '',
    // The service is told nothing of the browser: it has no place for that in its protocol.
    async signOnUrl(sealedEnvelope) {
      const { url } = await api.post('/device-flow/sso-initiate', { signed_state: sealedEnvelope }, SignOn)
      return url === undefined || url === null || url === '' ? null : new URL(url).href
    },
    finish: null,
    readLogout: null,
  }
}

/** A browser is sent there: `javascript:` and the like are no places. */
function isWebUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)
}
