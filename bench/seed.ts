import { parseArgs } from 'node:util'
import { migrate, openPostgres } from '#adapters/postgres/open-orm.ts'
import { seedMany } from './support/seed-many.ts'
import { createDatabase } from './support/temporary-database.ts'

const SHOWN_TOKENS = 5

/** Makes a database full of live tokens and leaves it there, to look at a Latchkey that has been used for long. */
const { values } = parseArgs({ options: { tokens: { type: 'string', default: '1000000' } } })
const count = Number(values.tokens)
if (!Number.isInteger(count) || count < SHOWN_TOKENS || count > 100_000_000) {
  console.error(`--tokens must be a whole number from ${SHOWN_TOKENS} to 100000000`)
  process.exit(2)
}
const startedAtMs = performance.now()
const { url } = await createDatabase()
const orm = await openPostgres({ url })
try {
  await migrate(orm)
  const tokens = await seedMany(orm.em, count, SHOWN_TOKENS)
  const tookS = (performance.now() - startedAtMs) / 1000
  const shown = new URL(url)
  if (shown.password !== '') shown.password = '…'
  console.log(`${count} tokens in ${tookS.toFixed(1)} s: DATABASE_URL=${shown.href}`)
  console.log(`drop it with: drop database ${shown.pathname.slice(1)}`)
  console.log(`some of the tokens:\n${tokens.join('\n')}`)
} finally {
  await orm.close()
}
