import * as v from 'valibot'
import type { AccountDirectory } from '#application/ports/account-directory.ts'
import type { AccessPolicy } from '#application/ports/app-access.ts'
import type { InnerApi } from './inner-api.ts'
import type { ReadServiceInfo } from './service-info.ts'

type Needs = { api: InnerApi; readInfo: ReadServiceInfo; accounts: Pick<AccountDirectory, 'findByEmail'> }

const Mode = v.object({ accessMode: v.string() })
const Verdict = v.object({ result: v.boolean() })
const Accessible = v.object({
  data: v.array(v.union([v.string(), v.object({ appId: v.string() })])),
  total: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
})

/** An Enterprise service decides who may use which app. */
export function createRemotePolicy({ api, readInfo, accounts }: Needs): AccessPolicy {
  return {
    enabled: async () => (await readInfo()).webAppAuth,
    modeOf: async ({ id }) => (await api.get('/webapp/access-mode/id', { appId: id }, Mode)).accessMode,
    async permits(subject, { id: appId }) {
      // The service knows accounts only.
      const userId = subject.type === 'account' ? subject.accountId : (await accounts.findByEmail(subject.email))?.id
      if (userId === undefined) return false
      return (await api.get('/webapp/permission', { userId, appId }, Verdict)).result
    },
    async permittedApps(_subject, { page, limit, mode, name }) {
      const { data, total } = await api.post(
        '/webapp/externally-accessible-apps',
        { page, limit, mode, name },
        Accessible,
      )
      const ids = data.map((row) => (typeof row === 'string' ? row : row.appId).toLowerCase())
      // A page ends at its limit whatever the service sends.
      return { ids: [...new Set(ids)].slice(0, limit), total }
    },
  }
}
