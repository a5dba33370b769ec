import { migrate, openPostgres } from '#adapters/postgres/open-orm.ts'

// A replica that starts: brings the database named on its command line up to date, then leaves.
const orm = await openPostgres({ url: process.argv[2] ?? '' })
await migrate(orm)
await orm.close()
