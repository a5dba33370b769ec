import { usageFailure } from './terminal-failure.ts'

/** Where `npm start` listens. */
export const DEFAULT_SERVER = 'http://127.0.0.1:5001'

/**
 * The server's base URL, without a trailing slash.
 * @throws TerminalFailure (usage) when it is no http URL, or plain http to another machine without `insecure`:
 * a bearer token in clear text belongs to everyone on the way (RFC 6750 §5.3).
 */
export function serverAddress(typed: string, insecure: boolean): string {
  const url = URL.canParse(typed) ? new URL(typed) : null
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw usageFailure('--host wants a URL such as https://latchkey.example')
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw usageFailure('--host wants a URL without user name, query or fragment')
  }
  if (url.protocol === 'http:' && !isLoopback(url.hostname) && !insecure) {
    throw usageFailure(`plain http would send your token in clear text to ${url.host}: use https, or add --insecure`)
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '')
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname)
}
