import { dropTemplate } from '../support/databases.ts'
import { services } from '../support/services.ts'
import type { WorldOptions } from '../support/world.ts'

/** Runs a suite once more on real PostgreSQL and Redis, where both are there. */
export function onServices(...suites: readonly ((name: string, options: WorldOptions) => void)[]): void {
  const found = services.postgres !== null && services.redis !== null
  ;(found ? describe : describe.skip)('on services', function () {
    this.timeout(20_000)
    for (const suite of suites) suite('PostgreSQL and Redis', { on: 'services' })
    after(dropTemplate)
  })
}
