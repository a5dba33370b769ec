import type { Config } from '../config.ts'
import { isLoopback, isReadOnTheWay } from '../config-reader.ts'
import { ask } from './ask.ts'
import { type Finding, fail, ok, warn } from './finding.ts'

type Origins = Pick<Config, 'host' | 'consoleApiUrl' | 'consoleWebUrl' | 'cookieDomain' | 'trustedProxies'>

/** Whether people reach this server by the origins it names, and only it; `version` is this package's. */
export async function checkPublicUrls(config: Origins, version: string): Promise<readonly Finding[]> {
  const { consoleApiUrl: api, consoleWebUrl: web } = config
  const found: Finding[] = []
  if (api === null && web === null) {
    found.push(
      isLoopback(config.host)
        ? ok('public urls', 'none: only this machine is served')
        : warn('public urls', 'none', 'set CONSOLE_WEB_URL and CONSOLE_API_URL'),
    )
  }
  if (api !== null) found.push(...ofScheme('CONSOLE_API_URL', api), await checkApi(api, version))
  if (web !== null) found.push(...ofScheme('CONSOLE_WEB_URL', web), await checkPages(web))
  return [...found, ...ofCookies(config), ...ofProxies(config)]
}

function ofScheme(name: string, url: string): readonly Finding[] {
  if (!isReadOnTheWay(url)) return []
  return [
    warn(
      name,
      'is plain http: passwords and tokens can be read on the way',
      'put TLS in front and name the https origin',
    ),
  ]
}

async function checkApi(origin: string, version: string): Promise<Finding> {
  const name = 'CONSOLE_API_URL'
  const answer = await ask(`${origin}/openapi/v1/.well-known/oauth-authorization-server`, null)
  if (!answer.ok) return fail(name, answer.fault, 'start the server, and check DNS, the balancer and its certificate')
  if (answer.status >= 500)
    return fail(
      name,
      `answers with status ${answer.status}`,
      'see the balancer’s log: it finds no server that is ready',
    )
  const issuer = fieldOf(answer.body, 'issuer')
  if (answer.status !== 200 || issuer === null) {
    return fail(
      name,
      `something else answers there (status ${answer.status})`,
      'let the balancer pass all paths, unchanged and without redirects, to this server',
    )
  }
  if (issuer !== `${origin}/openapi/v1`) {
    return fail(
      name,
      'a server with another CONSOLE_API_URL answers there',
      'give all replicas, and this command, one configuration',
    )
  }
  const running = fieldOf((await bodyOf(`${origin}/openapi/v1/_version`)) ?? {}, 'version')
  if (running === version) return ok(name, 'this server answers there')
  return warn(
    name,
    'a server of another version answers there',
    `bring the replicas to ${version}, or ask with their version`,
  )
}

async function bodyOf(url: string): Promise<unknown> {
  const answer = await ask(url, null)
  return answer.ok ? answer.body : null
}

async function checkPages(origin: string): Promise<Finding> {
  const name = 'CONSOLE_WEB_URL'
  const fix = 'let the balancer pass all paths, unchanged and without redirects, to this server'
  // The page itself sends on whoever is not signed in.
  const answer = await ask(`${origin}/assets/device.js`, null)
  if (!answer.ok) return fail(name, answer.fault, 'start the server, and check DNS, the balancer and its certificate')
  if (answer.status !== 200 || answer.text.trimStart().startsWith('<')) {
    return fail(name, `the pages are not there (status ${answer.status})`, fix)
  }
  return ok(name, 'the pages are there')
}

/** Browsers keep a cookie only when the host that sets it lies within its domain, and send it only there. */
function ofCookies({ consoleApiUrl, consoleWebUrl, cookieDomain }: Origins): readonly Finding[] {
  if (consoleApiUrl === null || consoleWebUrl === null) return []
  const hosts = [consoleApiUrl, consoleWebUrl].map((url) => new URL(url).hostname)
  const isSecure = [consoleApiUrl, consoleWebUrl].map((url) => url.startsWith('https:'))
  if (isSecure[0] !== isSecure[1]) {
    return [fail('cookies', 'one public origin is https and one is not, so cookies are not Secure', 'make both https')]
  }
  if (cookieDomain === null) {
    if (hosts[0] === hosts[1]) return [ok('cookies', `for ${hosts[0]} alone`)]
    return [
      fail(
        'cookies',
        'the public origins are two hosts: who signs in at one is unknown at the other',
        'use one host, or set COOKIE_DOMAIN to the domain of both',
      ),
    ]
  }
  const domain = cookieDomain.replace(/^\./, '').toLowerCase()
  if (hosts.every((host) => host === domain || host.endsWith(`.${domain}`)))
    return [ok('cookies', `for all of ${domain}`)]
  return [
    fail(
      'cookies',
      'a public origin lies outside COOKIE_DOMAIN: browsers drop its cookies',
      'set COOKIE_DOMAIN to the domain of both, or take it out',
    ),
  ]
}

/** This server speaks plain http, so an https origin proves that somebody stands in front of it. */
function ofProxies({ consoleApiUrl, consoleWebUrl, trustedProxies }: Origins): readonly Finding[] {
  const isBehind = [consoleApiUrl, consoleWebUrl].some((url) => url?.startsWith('https:'))
  const isOpen = trustedProxies.some((cidr) => /\/0$/.test(cidr))
  if (isOpen)
    return [
      fail(
        'proxies',
        'TRUSTED_PROXIES trusts everybody: whoever asks chooses the address that limits count',
        'name the balancer’s addresses only',
      ),
    ]
  if (isBehind && trustedProxies.length === 0) {
    return [
      warn(
        'proxies',
        'TLS ends in front of this server, yet TRUSTED_PROXIES is empty: all people share the balancer’s address and its limits',
        'set TRUSTED_PROXIES to the balancer’s addresses',
      ),
    ]
  }
  if (!isBehind && trustedProxies.length > 0) {
    return [
      warn(
        'proxies',
        'TRUSTED_PROXIES is set, but no public origin is https',
        'take it out when nothing stands in front',
      ),
    ]
  }
  return isBehind ? [ok('proxies', 'TRUSTED_PROXIES names somebody, and not everybody')] : []
}

function fieldOf(body: unknown, name: string): string | null {
  if (typeof body !== 'object' || body === null) return null
  const value = Object.entries(body).find(([key]) => key === name)?.[1]
  return typeof value === 'string' ? value : null
}
