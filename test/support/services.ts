import { isUsablePostgres, isUsableRedis, onPath, startPostgres, startRedis } from './own-services.ts'

/** Where the real parts are; null is absent. */
export type Services = {
  readonly postgres: string | null
  readonly redis: string | null
  readonly chromium: string | null
}

/** How the test runner tells its children what it found, so that servers start, and absences are told, once. */
export const FOUND_SERVICES = 'LATCHKEY_TEST_SERVICES'

const POSTGRES_NEARBY = 'postgres://postgres@127.0.0.1:5432/postgres'
const REDIS_NEARBY = 'redis://127.0.0.1:6379'
const WANTED = {
  postgres: 'PostgreSQL (DATABASE_URL, port 5432, or the postgresql package)',
  redis: 'Redis (REDIS_URL, port 6379, or the redis-server package)',
  chromium: 'Chromium (the chromium package)',
} as const

/** What this machine offers to tests. A given URL is taken as it is: if it is wrong, the tests must fail, not skip. */
export const services: Services = await known()

/** `describe` where the service is there, `describe.skip` where it is not. */
export function suiteFor(service: keyof Services): Mocha.SuiteFunction | Mocha.PendingSuiteFunction {
  return services[service] === null ? describe.skip : describe
}

/** `describe` where `isThere`, else `describe.skip`; outside of tests it may be loaded all the same. */
export function suiteWhere(isThere: boolean): (title: string, body: (this: Mocha.Suite) => void) => void {
  return (title, body) => void (isThere ? describe : describe.skip)(title, body)
}

async function known(): Promise<Services> {
  const found = process.env[FOUND_SERVICES]
  // Written by the runner with JSON.stringify from a value of this very type.
  if (found !== undefined) return JSON.parse(found) as Services
  const all = {
    postgres: process.env.DATABASE_URL || (await nearbyOr(POSTGRES_NEARBY, isUsablePostgres, startPostgres)),
    redis: process.env.REDIS_URL || (await nearbyOr(REDIS_NEARBY, isUsableRedis, startRedis)),
    chromium: onPath('chromium', 'chromium-browser', 'google-chrome'),
  }
  const absent = Object.entries(WANTED).flatMap(([name, wanted]) =>
    all[name as keyof Services] === null ? wanted : [],
  )
  const isRequired = process.env.REQUIRE_SERVICES === '1'
  const verb = isRequired ? 'MISSING' : 'SKIPPING every test that needs'
  for (const wanted of absent) process.stderr.write(`\n*** ${verb} ${wanted} ***\n\n`)
  if (isRequired && absent.length > 0) throw new Error('REQUIRE_SERVICES=1, and a service is missing')
  return all
}

async function nearbyOr(
  url: string,
  isUsable: (url: string) => Promise<boolean>,
  start: () => Promise<string | null>,
): Promise<string | null> {
  return (await isUsable(url)) ? url : start()
}
