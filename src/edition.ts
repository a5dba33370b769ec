import { isReadOnTheWay, isWord, type Reader } from './config-reader.ts'

/** What decides about people without an account. */
export type Edition =
  | { readonly kind: 'community' }
  /** An Enterprise service beside this one; `apiUrl` has no closing slash. */
  | { readonly kind: 'remote'; readonly apiUrl: string; readonly secretKey: string }
  /** This server talks to the company's OpenID provider itself. */
  | ({ readonly kind: 'oidc' } & OidcSettings)
  /** Enterprise with neither: nothing licenses external sign-on. */
  | { readonly kind: 'unlicensed' }

export type OidcSettings = {
  /** Exactly as the provider writes it, closing slash included. */
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  /** Separated by blanks; `openid` is among them. */
  readonly scope: string
  readonly groupsClaim: string
}

const DEFAULT_SCOPE = 'openid email profile'
/** Characters; it is stored beside every external person. */
const MAX_ISSUER_LENGTH = 255

const FOLLOWS: readonly (readonly [name: string, first: string])[] = [
  ['ENTERPRISE_API_SECRET_KEY', 'ENTERPRISE_API_URL'],
  ['ENTERPRISE_API_URL', 'ENTERPRISE_API_SECRET_KEY'],
  ['SSO_OIDC_CLIENT_ID', 'SSO_OIDC_ISSUER'],
  ['SSO_OIDC_CLIENT_SECRET', 'SSO_OIDC_ISSUER'],
  ['SSO_OIDC_ISSUER', 'SSO_OIDC_CLIENT_ID'],
]

/** The edition, and one line for each choice that has no effect or is unsafe; `fault` takes what cannot be started with. */
export function readEdition(
  read: Reader,
  consoleApiUrl: string | null,
  fault: (line: string) => void,
): { readonly edition: Edition; readonly warnings: readonly string[] } {
  const isEnterprise = read.flag('ENTERPRISE_ENABLED', false)
  const apiUrl = read.named('ENTERPRISE_API_URL', isPlainUrl, 'an http(s) URL without user, query and fragment')
  const secretKey = read.named('ENTERPRISE_API_SECRET_KEY', isWord(4096), 'one line without blanks')
  const issuer = read.named(
    'SSO_OIDC_ISSUER',
    isIssuer,
    'the https URL that the provider calls its issuer; plain http only on this machine',
  )
  const clientId = read.named('SSO_OIDC_CLIENT_ID', isWord(1024), 'one line without blanks')
  const clientSecret = read.named('SSO_OIDC_CLIENT_SECRET', isWord(4096), 'one line without blanks')
  const scope = read.named('SSO_OIDC_SCOPES', isScope, 'names separated by blanks, openid among them') ?? DEFAULT_SCOPE
  const groupsClaim = read.named('SSO_OIDC_GROUPS_CLAIM', isWord(255), 'the name of a claim') ?? 'groups'
  for (const [name, first] of FOLLOWS) {
    if (read.text(first) !== null && read.text(name) === null) fault(`${name} must be set when ${first} is`)
  }
  const edition = ((): Edition => {
    if (!isEnterprise) return { kind: 'community' }
    if (apiUrl !== null && secretKey !== null) return { kind: 'remote', apiUrl: apiUrl.replace(/\/+$/, ''), secretKey }
    if (issuer === null || clientId === null || clientSecret === null) return { kind: 'unlicensed' }
    return { kind: 'oidc', issuer, clientId, clientSecret, scope, groupsClaim }
  })()
  return { edition, warnings: warningsOf(edition, { apiUrl, issuer, consoleApiUrl }) }
}

function warningsOf(
  edition: Edition,
  set: { readonly apiUrl: string | null; readonly issuer: string | null; readonly consoleApiUrl: string | null },
): readonly string[] {
  const named = { ENTERPRISE_API_URL: set.apiUrl, SSO_OIDC_ISSUER: set.issuer }
  const given = Object.entries(named).flatMap(([name, url]) => (url === null ? [] : [{ name, url }]))
  switch (edition.kind) {
    case 'community':
      return given.map(({ name }) => `${name} has no effect: ENTERPRISE_ENABLED is not true`)
    case 'unlicensed':
      return ['ENTERPRISE_ENABLED has no effect: neither ENTERPRISE_API_URL nor SSO_OIDC_ISSUER is set']
    default:
      return [
        ...(edition.kind === 'remote' && set.issuer !== null
          ? ['SSO_OIDC_ISSUER has no effect: ENTERPRISE_API_URL is set']
          : []),
        ...(set.consoleApiUrl === null
          ? ['CONSOLE_API_URL is not set: nobody can be sent to an identity provider']
          : []),
        ...given
          .filter(({ url }) => isReadOnTheWay(url))
          .map(({ name }) => `${name} is plain http: whoever is on the way can sign in as anybody; put TLS in front`),
      ]
  }
}

function isPlainUrl(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, username, password, search, hash } = new URL(text)
  return /^https?:$/.test(protocol) && username + password + search + hash === ''
}

function isIssuer(text: string): boolean {
  // Whoever is on the way to a provider in the clear could sign in as anybody.
  return text.length <= MAX_ISSUER_LENGTH && isPlainUrl(text) && !isReadOnTheWay(text)
}

/** RFC 6749 §3.3. */
function isScope(text: string): boolean {
  return (
    text.length <= 1024 &&
    /^[\x21\x23-\x5b\x5d-\x7e]+( +[\x21\x23-\x5b\x5d-\x7e]+)*$/.test(text) &&
    text.split(/ +/).includes('openid')
  )
}
