import { expect } from 'chai'
import { makeBuiltInPolicy } from '#application/auth/built-in-policy.ts'
import { openEnterprise } from '#src/enterprise.ts'
import { MISDEEDS, says } from '../support/enterprise-service.ts'
import { aBridge, aPolicy } from '../support/policy.ts'
import type { WorldOptions } from '../support/world.ts'
import { anEnterprisePlace } from './enterprise-place.ts'
import { aPlace, type Place } from './place.ts'
import { ORIGIN } from './sso.ts'

const featuresOf = async (place: Place) => (await place.get('/console/api/system-features')).json
const features = (status: string, enabled: boolean, allow_sso: boolean, protocol: string) => ({
  license: { status },
  webapp_auth: { enabled, allow_sso, sso_config: { protocol } },
})
const OFF = features('none', false, false, '')

describe('what a server says it offers', () => {
  const EDITIONS: readonly [what: string, options: WorldOptions, said: object][] = [
    ['Community', {}, OFF],
    [
      'Enterprise with neither service nor provider',
      {
        change: async (ports, { timer }) => {
          const needs = { ...ports, timer, consoleApiUrl: ORIGIN }
          const { bridge, policy } = await openEnterprise({ kind: 'unlicensed' }, needs)
          return { ...ports, bridge, policy }
        },
      },
      OFF,
    ],
    [
      'built-in Enterprise',
      { change: (ports) => ({ ...ports, bridge: aBridge(), policy: makeBuiltInPolicy(ports) }) },
      features('active', true, true, 'oidc'),
    ],
    [
      'a licence that ended',
      {
        change: (ports) => ({ ...ports, bridge: aBridge({ licenseStatus: async () => 'expired' }), policy: aPolicy() }),
      },
      features('expired', true, false, ''),
    ],
    [
      'a licence that cannot be read',
      { change: (ports) => ({ ...ports, bridge: aBridge({ licenseStatus: async () => null }), policy: aPolicy() }) },
      features('none', true, false, ''),
    ],
    [
      'no public origin',
      { settings: { consoleApiUrl: null }, change: (ports) => ({ ...ports, bridge: aBridge(), policy: aPolicy() }) },
      features('active', true, false, ''),
    ],
  ]
  for (const [what, options, said] of EDITIONS) {
    it(`is the truth: ${what}`, async () => {
      const place = await aPlace({ settings: { consoleApiUrl: ORIGIN }, ...options })
      try {
        expect(await featuresOf(place)).to.deep.equal(said)
      } finally {
        await place.close()
      }
    })
  }

  it('F13 is what the remote service says, and off while it says nothing', async () => {
    const place = await anEnterprisePlace()
    try {
      expect(await featuresOf(place)).to.deep.equal(features('active', true, true, ''))
      place.service.on('GET /info', says({ License: { status: 'expiring' }, WebAppAuth: { enabled: false } }))
      place.clock.advance(600_000)
      expect(await featuresOf(place)).to.deep.equal(features('expiring', false, true, ''))
      place.service.on('GET /info', MISDEEDS['answers 500'] ?? says({}))
      place.clock.advance(600_000)
      expect(await featuresOf(place)).to.deep.equal(OFF)
    } finally {
      await place.close()
    }
  })
})
