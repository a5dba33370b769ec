import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ConfigError } from './config.ts'

/** By the codes of the lookup, which name nobody: the database has a host, too. */
const UNKNOWN_HOST: Readonly<Record<string, string>> = {
  ENOTFOUND: 'HOST names a host that is unknown here; set it to an address of this machine',
  EAI_AGAIN: 'HOST cannot be looked up at the moment; set it to an address of this machine, or try again',
}

/**
 * Resolves to the origin that was bound, once `server` listens there: port 0 takes a free one.
 * @throws ConfigError for a `host` that nobody knows, and what the system says of a port or address it does not give
 */
export async function listen(server: Server, host: string, port: number): Promise<string> {
  await new Promise<void>((listening, failed) => {
    server.once('error', (error) => failed(ofHost(error))).listen(port, host, listening)
  })
  const bound = server.address() as AddressInfo // a TCP listener's address is never a path
  const name = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address
  return `http://${name}:${bound.port}`
}

function ofHost(error: NodeJS.ErrnoException): Error {
  const fault = UNKNOWN_HOST[error.code ?? '']
  return fault === undefined ? error : new ConfigError([fault])
}
