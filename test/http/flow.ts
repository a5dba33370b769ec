import { expect } from 'chai'
import type { Browser, Reply } from '../support/world.ts'
import { API, type Place } from './place.ts'

export type Started = { readonly deviceCode: string; readonly userCode: string }

/** The steps of RFC 8628 against one place, each one request. */
export function flowOf(place: Place) {
  const flow = {
    code: (json: unknown = { client_id: 'difyctl', device_label: 'laptop' }, headers: Record<string, string> = {}) =>
      place.post(`${API}/oauth/device/code`, { json, headers }),
    poll: (deviceCode: string, clientId = 'difyctl', headers: Record<string, string> = {}): Promise<Reply> =>
      place.post(`${API}/oauth/device/token`, { json: { device_code: deviceCode, client_id: clientId }, headers }),
    lookUp: (userCode: string, headers: Readonly<Record<string, string>> = {}) =>
      place.get(`${API}/oauth/device/lookup?user_code=${encodeURIComponent(userCode)}`, { headers }),
    decide: (word: 'approve' | 'deny', userCode: unknown, browser: Pick<Browser, 'headers'>) =>
      place.post(`${API}/oauth/device/${word}`, { json: { user_code: userCode }, headers: browser.headers }),
    /** A code that somebody has said yes to. */
    async approved(browser: Pick<Browser, 'headers'>, label = 'laptop') {
      const started = await place.startFlow(label)
      expect(said(await flow.decide('approve', started.userCode, browser))).to.equal('200 approved')
      return started
    },
    /** The status of a call with what a flow ended in. */
    works: async (token: string) => (await place.get(`${API}/account`, { token })).status,
    liveRows: async () => (await place.edit.tokenRows()).filter(({ live }) => live),
  }
  return flow
}

/** The status and the token of a refusal, which is all that most tests care about. */
export function said({ status, json }: Reply): string {
  return `${status} ${json?.error ?? json?.status ?? 'ok'}`
}
