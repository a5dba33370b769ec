import { type Enterprise, openEnterprise } from '#src/enterprise.ts'
import { openEnterpriseService } from '../support/enterprise-service.ts'
import type { Send } from '../support/world.ts'
import { chatFile } from './app-files.ts'
import { API, aPlace, mintExternal, mintOwn } from './place.ts'

/** Public origin of a place beside an Enterprise service. */
export const ORIGIN = 'https://latchkey.example'
export const EVE = { email: 'eve@company.example', issuer: 'https://idp.company.example' }

export type EnterprisePlace = Awaited<ReturnType<typeof anEnterprisePlace>>

/** A place with one app, whose sign-on and access are decided by a service on loopback. */
export async function anEnterprisePlace() {
  const service = await openEnterpriseService()
  let enterprise: Enterprise | null = null
  const place = await aPlace({
    settings: { consoleApiUrl: ORIGIN, remoteIsolation: true },
    inTrace: (traceparent, work) => enterprise?.inTrace?.(traceparent, work) ?? work(),
    async change(ports, { timer }) {
      const { apiUrl, secretKey } = service
      enterprise = await openEnterprise(
        { kind: 'remote', apiUrl, secretKey },
        { ...ports, timer, consoleApiUrl: ORIGIN },
      )
      return { ...ports, bridge: enterprise.bridge, policy: enterprise.policy }
    },
  })
  /** Tokens of the owner, and of EVE. */
  const account = await mintOwn(place)
  const external = await mintExternal(place, EVE.email, 'laptop', EVE.issuer)
  const appId = await place.addApp(chatFile())
  return {
    ...place,
    service,
    account,
    external,
    appId,
    run: (token: string) => place.post(`${API}/apps/${appId}/run`, { token, json: { inputs: {}, query: 'hi' } }),
    permitted: (query = '', how: Send = {}) => place.get(`${API}/apps/permitted${query}`, { token: external, ...how }),
    /** Asks for a code, and to be sent on with it. */
    async initiate() {
      const { userCode } = await place.startFlow()
      return place.get(`${API}/oauth/device/sso-initiate?user_code=${userCode}`)
    },
    async close() {
      await service.close()
      await enterprise?.close()
      await place.close()
    },
  }
}
