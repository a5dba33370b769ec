import ipaddr from 'ipaddr.js'

/** What the operator opens of what is closed. */
export type EgressRules = {
  /** Networks that apps may reach although they are not public. */
  readonly allowCidrs: readonly string[]
  /** Host names, with or without a port, whose addresses are not looked at. */
  readonly allowHosts: readonly string[]
}

type Address = ReturnType<typeof ipaddr.parse>

/** What IPv6 has given out to the public so far (RFC 4291 §2.4); everything else is for special use. */
const PUBLIC_IPV6 = ipaddr.parseCIDR('2000::/3')
/** Where a gateway finds the IPv4 address that an IPv6 address only wraps, as the first of its bytes. */
const WRAPPERS: readonly (readonly [cidr: string, firstByte: number])[] = [
  // RFC 6052: 64:ff9b::127.0.0.1 is 127.0.0.1 behind a NAT64.
  ['64:ff9b::/96', 12],
  ['64:ff9b:1::/48', 12],
  // RFC 3056: 2002:7f00:1:: is 127.0.0.1 behind a 6to4 relay.
  ['2002::/16', 2],
  // RFC 4291 §2.5.5: mapped, and the old compatible form.
  ['::ffff:0:0/96', 12],
  ['::/96', 12],
]

/**
 * Whether an app may connect to an IP address: to public ones, and to those that the operator opened. An address that
 * only wraps another is judged by both, for one machine sees the wrapper and the next what is in it.
 */
export function mayReach(address: string, { allowCidrs }: EgressRules): boolean {
  if (!ipaddr.isValid(address)) return false
  const parsed = ipaddr.parse(address)
  const isOpen = (one: Address) => allowCidrs.some((cidr) => isWithin(one, cidr))
  const inner = unwrapped(parsed)
  if (inner !== null) return isOpen(inner) || isOpen(parsed)
  return isOpen(parsed) || isPublic(parsed)
}

/** Whether the operator trusts a host by its name. */
export function isTrustedHost(hostname: string, port: number, { allowHosts }: EgressRules): boolean {
  const name = bare(hostname)
  return allowHosts.some((host) => [name, `${name}:${port}`].includes(bare(host)))
}

/** `localhost.` is `localhost`. */
function bare(hostname: string): string {
  return hostname.toLowerCase().replace(/\.(?=:|$)/, '')
}

function isPublic(address: Address): boolean {
  if (address.range() !== 'unicast') return false
  return address.kind() === 'ipv4' || address.match(PUBLIC_IPV6)
}

function isWithin(address: Address, cidr: string): boolean {
  const [network, bits] = ipaddr.parseCIDR(cidr)
  return address.kind() === network.kind() && address.match([network, bits])
}

/** The IPv4 address inside of an IPv6 one; a wrapped address is never public by itself. */
function unwrapped(address: Address): Address | null {
  if (address.kind() !== 'ipv6') return null
  const wrapper = WRAPPERS.find(([cidr]) => isWithin(address, cidr))
  if (wrapper === undefined) return null
  return ipaddr.fromByteArray(address.toByteArray().slice(wrapper[1], wrapper[1] + 4))
}
