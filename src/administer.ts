import { askAdminSocket } from '#adapters/admin/admin-socket.ts'
import type { Outside } from '#adapters/admin/outside.ts'
import { parseAdminCommand } from '#adapters/admin/parse-command.ts'
import type { AdminReply } from '#adapters/admin/reply.ts'
import { runAdminCommand } from '#adapters/admin/run-command.ts'
import { DataDirLocked, socketOfHolder } from '#adapters/postgres/data-lock.ts'
import { createLog } from '#adapters/telemetry/log.ts'
import type { Config } from './config.ts'
import { readStdin } from './read-stdin.ts'

/** Runs an operator's command on the store itself, or through the process that holds it. */
export async function administer(config: Config, words: readonly string[], env: Outside['env']): Promise<AdminReply> {
  const command = await parseAdminCommand(words, { readStdin: typed, env })
  const socketPath = config.databaseUrl === null ? await socketOfHolder(config.dataDir) : null
  if (socketPath !== null) return askAdminSocket(socketPath, command)
  // Only here: neither a slip nor a command that a server carries out has to wait for all of this.
  const { openCore } = await import('./core.ts')
  const log = createLog('silent')
  try {
    const core = await openCore(config, null, log)
    try {
      return await runAdminCommand(core.cases, command)
    } finally {
      await core.close()
    }
  } catch (error) {
    // A server came between.
    if (error instanceof DataDirLocked && error.socketPath !== null) return askAdminSocket(error.socketPath, command)
    throw error
  }
}

const typed: Outside['readStdin'] = (what) => readStdin(what, process.stdin, (words) => process.stderr.write(words))

/** Brings the database up to date and closes it. */
export async function migrateOnly(config: Config): Promise<AdminReply> {
  const { openUpToDate } = await import('./database.ts')
  const orm = await openUpToDate(config, null)
  await orm.close()
  return { ok: true, lines: ['The database is up to date'] }
}
