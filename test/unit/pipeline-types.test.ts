import { expect } from 'chai'
import * as v from 'valibot'
import { route } from '#adapters/http/route.ts'
import { type AppChecks, type Check, pipeline } from '#application/auth/pipeline.ts'

// The order of the guards is a security property: a membership check before the app is known checks nothing. These
// lines are compiled by `tsc`; each suppression fails the build when the line below it starts to compile.

/** Never called: what matters is that it compiles exactly as it stands. */
export function wrongOrders(checks: AppChecks): void {
  const { bearerCheck, scopeCheck, appResolver, membershipCheck, accessCheck, callerMount } = checks
  pipeline(bearerCheck, scopeCheck, appResolver, membershipCheck, accessCheck, callerMount)
  // @ts-expect-error the app must not be resolved before the scope is known
  pipeline(bearerCheck, appResolver, scopeCheck, membershipCheck, accessCheck, callerMount)
  // @ts-expect-error membership must not be checked before there is an app
  pipeline(bearerCheck, scopeCheck, membershipCheck, appResolver, accessCheck, callerMount)
  // @ts-expect-error access must not be asked before membership
  pipeline(bearerCheck, scopeCheck, appResolver, accessCheck, membershipCheck, callerMount)
  // @ts-expect-error nobody is mounted before access is granted
  pipeline(bearerCheck, scopeCheck, appResolver, membershipCheck, callerMount, accessCheck)
  // @ts-expect-error a forgotten check is a missing argument
  pipeline(bearerCheck, scopeCheck, appResolver, membershipCheck, callerMount)
  // @ts-expect-error the scope check cannot stand first
  pipeline(scopeCheck, bearerCheck, appResolver, membershipCheck, accessCheck, callerMount)
}

const plain = {
  method: 'get',
  path: '/x',
  summary: 'a route',
  reply: v.object({}),
  errors: [],
  handle: () => ({}),
} as const

/** Never called, as above. */
export function routesWithoutAccess(): void {
  route({ ...plain, access: { kind: 'public' } })
  route({ ...plain, access: { kind: 'bearer', scope: null } })
  // @ts-expect-error a route that does not say who may come in
  route(plain)
  // @ts-expect-error a bearer route that does not decide its scope
  route({ ...plain, access: { kind: 'bearer' } })
  // @ts-expect-error an app route always takes a scope
  route({ ...plain, access: { kind: 'app', scope: null } })
}

describe('the guard pipeline', () => {
  it('D01 a swapped or forgotten guard does not compile', () => {
    expect(wrongOrders).to.be.a('function')
  })

  it('B05 a route without an access declaration does not compile', () => {
    expect(routesWithoutAccess).to.be.a('function')
  })

  it('D02 the first refusal ends it: later guards are not asked', async () => {
    const names = ['bearer', 'scope', 'app', 'membership', 'access', 'mount'] as const
    for (const refusing of names) {
      const asked: string[] = []
      const guard = <In, Out extends In>(name: (typeof names)[number]): Check<In, Out> => {
        return async (so) => {
          asked.push(name)
          if (name === refusing) throw new Error(name)
          return so as Out // nobody reads what it would add
        }
      }
      const admit = pipeline(
        guard('bearer'),
        guard('scope'),
        guard('app'),
        guard('membership'),
        guard('access'),
        guard('mount'),
      )
      const refusal = await admit({ bearer: null, requires: 'apps:run', appId: '' }).then(
        () => 'passed',
        (error: Error) => error.message,
      )
      expect(refusal).to.equal(refusing)
      expect(asked).to.deep.equal(names.slice(0, names.indexOf(refusing) + 1))
    }
  })
})
