import { createInnerApi } from '#adapters/enterprise/inner-api.ts'
import { createRemoteBridge } from '#adapters/enterprise/remote-bridge.ts'
import { createRemotePolicy } from '#adapters/enterprise/remote-policy.ts'
import { makeReadServiceInfo } from '#adapters/enterprise/service-info.ts'
import { createTrace } from '#adapters/telemetry/trace.ts'
import type { Edition } from './edition.ts'
import type { Enterprise, EnterpriseNeeds } from './enterprise.ts'

/** Sign-on and access as an Enterprise service decides them. */
export function openRemote(edition: Extract<Edition, { kind: 'remote' }>, needs: EnterpriseNeeds): Enterprise {
  const trace = createTrace()
  const api = createInnerApi({
    ...edition,
    timer: needs.timer,
    traceparent: () => needs.tracer?.traceparent() ?? trace.current(),
  })
  const readInfo = makeReadServiceInfo({ api, now: needs.now, log: needs.log })
  return {
    bridge: createRemoteBridge({ api, readInfo }),
    policy: createRemotePolicy({ api, readInfo, accounts: needs.accounts }),
    remoteIsolation: true,
    inTrace: trace.run,
    close: () => api.close(),
  }
}
