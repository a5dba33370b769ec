import { randomUUID } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import { createServer, request } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import * as v from 'valibot'
import { AdminRequest } from './parse-command.ts'
import type { AdminReply } from './reply.ts'

const Reply = v.object({
  ok: v.boolean(),
  lines: v.array(v.string()),
  isAnswer: v.optional(v.boolean()),
  note: v.optional(v.string()),
})

/** A path that nobody has; well under the 107 bytes the kernel allows. Nothing is created before it is served. */
export function newSocketPath(): string {
  return join(tmpdir(), `latchkey-${randomUUID()}`, 'admin.sock')
}

/**
 * Takes operators' commands while this process holds the embedded database. The folder is 0700 and the socket
 * 0600: who can reach it could as well read the database's files.
 */
export async function serveAdminSocket(
  path: string,
  run: (request: AdminRequest) => Promise<AdminReply>,
): Promise<{ close(): Promise<void> }> {
  const server = createServer(async (incoming, outgoing) => {
    const answer = (status: number, reply: AdminReply) => {
      outgoing.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(reply))
    }
    try {
      answer(200, await run(v.parse(AdminRequest, JSON.parse(await text(incoming)))))
    } catch (error) {
      answer(500, {
        ok: false,
        lines: [`the server could not do this: ${error instanceof Error ? error.name : 'fault'}`],
      })
    }
  })
  // Fails when somebody made the folder first.
  await mkdir(dirname(path), { mode: 0o700 })
  const mask = process.umask(0o177)
  await new Promise<void>((listening, failed) => {
    server.once('error', failed).listen(path, listening)
  })
  process.umask(mask)
  return {
    async close() {
      await new Promise((closed) => server.close(closed))
      await rm(dirname(path), { recursive: true, force: true })
    },
  }
}

/** Hands a command to the process that serves. @throws Error when nobody answers there */
export async function askAdminSocket(path: string, command: AdminRequest): Promise<AdminReply> {
  const body = await new Promise<string>((resolve, reject) => {
    const outgoing = request({ socketPath: path, method: 'POST', path: '/' }, (incoming) => {
      text(incoming).then(resolve, reject)
    })
    outgoing.once('error', reject).end(JSON.stringify(command))
  })
  return v.parse(Reply, JSON.parse(body))
}
