import ipaddr from 'ipaddr.js'

/** A signing key and the name it goes by in a token's header. */
export type SigningKey = { readonly kid: string; readonly key: string }

export type Environment = Readonly<Record<string, string | undefined>>

/** The kid of a key that was given no name: the one other servers use. */
export const BARE_KID = 'dify-shared-v1'
/** Characters. */
export const MIN_KEY_LENGTH = 32

export type Reader = ReturnType<typeof makeReader>

/** Reads variables one by one; empty counts as unset, and a bad value is told to `fault` and reads as unset. */
export function makeReader(env: Environment, fault: (name: string, wanted: string) => void) {
  const text = (name: string): string | null => {
    const value = env[name]?.trim()
    return value === undefined || value === '' ? null : value
  }
  /** The value when `isGood`, else null and a fault. */
  const checked = (name: string, isGood: (value: string) => boolean, wanted: string): string | null => {
    const value = text(name)
    if (value === null || isGood(value)) return value
    fault(name, wanted)
    return null
  }
  return {
    text,
    named: checked,
    whole(name: string, fallback: number, min: number, max: number): number {
      const value = checked(name, isWhole(min, max), `a whole number from ${min} to ${max}`)
      return value === null ? fallback : Number(value)
    },
    flag(name: string, fallback: boolean): boolean {
      const value = checked(name, (one) => /^(true|false|1|0)$/i.test(one), 'true or false')
      return value === null ? fallback : /^(true|1)$/i.test(value)
    },
    oneOf(name: string, words: readonly string[], fallback: string): string {
      return checked(name, (one) => words.includes(one), `one of ${words.join(', ')}`) ?? fallback
    },
    url(name: string, protocols: readonly string[]): string | null {
      const wanted = `a URL starting with ${protocols.map((one) => `${one}//`).join(' or ')}`
      return checked(
        name,
        (one) => protocols.some((protocol) => one.startsWith(`${protocol}//`)) && hasHost(one),
        wanted,
      )
    },
    origin(name: string): string | null {
      return checked(name, isOrigin, 'an http(s) origin without a path')?.replace(/\/$/, '') ?? null
    },
    modelUrl(name: string): string | null {
      const isGood = (one: string) =>
        /^scripted:(\?[\w=&]*)?$/.test(one) || (/^https?:\/\//.test(one) && URL.canParse(one))
      return checked(name, isGood, 'the http(s) base URL of an OpenAI-compatible endpoint')
    },
    list(name: string, isGood: (item: string) => boolean, wanted: string): readonly string[] | null {
      const items = text(name)
        ?.split(',')
        .map((item) => item.trim())
        .filter((item) => item !== '')
      if (items === undefined) return null
      if (items.every(isGood)) return items
      fault(name, wanted)
      return null
    },
    secretKeys(name: string): readonly SigningKey[] | null {
      const wanted = `at least ${MIN_KEY_LENGTH} characters, or comma-separated kid:key pairs with keys as long and no kid twice`
      const value = checked(name, (one) => parseKeys(one) !== null, wanted)
      return value === null ? null : parseKeys(value)
    },
  }
}

/** Null when a key is too short or a pair has no name. A key without a name has the one other servers use. */
function parseKeys(text: string): readonly SigningKey[] | null {
  const pairs = /^[\w.-]{1,64}:/.test(text) ? text.split(',').map((pair) => pair.trim()) : [`${BARE_KID}:${text}`]
  const keys = pairs.map((pair) => ({ kid: pair.slice(0, pair.indexOf(':')), key: pair.slice(pair.indexOf(':') + 1) }))
  const isGood = keys.every(({ kid, key }) => kid !== '' && key.length >= MIN_KEY_LENGTH)
  return isGood && new Set(keys.map(({ kid }) => kid)).size === keys.length ? keys : null
}

/** Whether `host` can only be reached from this machine. */
export function isLoopback(host: string): boolean {
  if (host === 'localhost') return true
  return ipaddr.isValid(host) && ipaddr.process(host).range() === 'loopback'
}

function isWhole(min: number, max: number): (text: string) => boolean {
  return (text) => /^-?\d{1,9}$/.test(text) && Number(text) >= min && Number(text) <= max
}

/** Whether `text` is a network: an address and its prefix length. */
export function isCidr(text: string): boolean {
  return ipaddr.isValidCIDR(text)
}

/** Whether `text` is a host name, with or without a port. */
export function isHost(text: string): boolean {
  return /^[a-z0-9_]([a-z0-9_.-]{0,252})(:\d{1,5})?$/i.test(text)
}

/** Whether one can listen on `text`. */
export function isListener(text: string): boolean {
  return ipaddr.isValid(text) || isDomain(text)
}

/** What a cookie's `Domain` may say; anything else could add attributes to the cookie. */
export function isDomain(text: string): boolean {
  return text.length <= 253 && /^\.?[a-z0-9_]([a-z0-9_-]*)(\.[a-z0-9_-]+)*$/i.test(text)
}

/** Printable ASCII without blanks. */
export function isWord(maxLength: number): (text: string) => boolean {
  return (text) => text.length <= maxLength && /^[\x21-\x7e]+$/.test(text)
}

/** One printable line. */
export function isLine(maxLength: number): (text: string) => boolean {
  return (text) => text.length <= maxLength && /^\P{C}+$/u.test(text)
}

/** Whether requests to `url` cross a network in the clear. */
export function isReadOnTheWay(url: string): boolean {
  const { protocol, hostname } = new URL(url)
  return protocol === 'http:' && !isLoopback(hostname.replaceAll(/[[\]]/g, ''))
}

/** Whether `text` is an http(s) origin and nothing more. */
export function isOrigin(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, pathname, search, hash, username } = new URL(text)
  return /^https?:$/.test(protocol) && pathname === '/' && search + hash + username === ''
}

function hasHost(text: string): boolean {
  return /^[\w+]+:\/\/[^/]+/.test(text) && (text.includes('+cluster') || URL.canParse(text))
}
