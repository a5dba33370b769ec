import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

type Address = ReturnType<typeof ipaddr.process>
type Cidr = ReturnType<typeof ipaddr.parseCIDR>

/** Parsing a peer's address again for every request costs more than looking it up. */
const MAX_PEERS = 10_000

/** The address a request comes from, for limits, audit and the consent page. */
export type ClientAddress = (request: IncomingMessage) => string

/**
 * Believes `X-Forwarded-For` only from peers in `trusted` and reads it from the right: whatever stands left of the
 * first untrusted hop was written by the client and would let it choose its own limit.
 * @throws Error when an entry of `trusted` is not a CIDR
 */
export function makeClientAddress(trusted: readonly string[]): ClientAddress {
  const ranges = trusted.map(rangeOf)
  const isTrusted = (address: Address) => ranges.some((range) => inRange(address, range))
  const peers = new Map<string, { readonly address: string; readonly trusted: boolean }>()
  const peerOf = (remoteAddress: string) => {
    const known = peers.get(remoteAddress)
    if (known !== undefined) return known
    const address = parse(remoteAddress)
    const peer = { address: address?.toString() ?? 'unknown', trusted: address !== null && isTrusted(address) }
    if (peers.size >= MAX_PEERS) peers.clear()
    peers.set(remoteAddress, peer)
    return peer
  }
  return (request) => {
    const { address: peer, trusted: isProxy } = peerOf(request.socket.remoteAddress ?? '')
    if (!isProxy) return peer
    let client = peer
    for (const hop of readHops(request).toReversed()) {
      const address = parse(hop)
      if (address === null) return peer
      client = address.toString()
      if (!isTrusted(address)) break
    }
    return client
  }
}

/** Whether a request comes straight from one of `trusted`. @throws Error when an entry is not a CIDR */
export function makeIsTrustedPeer(trusted: readonly string[]): (request: IncomingMessage) => boolean {
  const ranges = trusted.map(rangeOf)
  return (request) => {
    const address = parse(request.socket.remoteAddress ?? '')
    return address !== null && ranges.some((range) => inRange(address, range))
  }
}

/** The address at the other end of the connection, in one spelling. */
export function peerOf(request: IncomingMessage): string {
  return readAddress(request.socket.remoteAddress ?? '') ?? 'unknown'
}

/** An address in the one spelling that is compared; null when `text` is none. */
export function readAddress(text: string): string | null {
  return parse(text)?.toString() ?? null
}

/** What proxies, or whoever calls, say of the way here: the furthest first. Nothing of it is believed yet. */
export function readHops(request: IncomingMessage): readonly string[] {
  const header = request.headers['x-forwarded-for']
  if (header !== undefined) return split(Array.isArray(header) ? header.join(',') : header).map(withoutPort)
  // RFC 7239 §4: for=192.0.2.43, for="[2001:db8::1]:4711"
  return split(request.headers.forwarded ?? '').flatMap((element) => {
    const match = /(?:^|;)\s*for=("?)(\[[^\]]+\]|[^";:\s]+)/i.exec(element)
    return match?.[2] === undefined ? [] : [match[2].replaceAll(/[[\]]/g, '')]
  })
}

/** Some proxies write `192.0.2.43:4711` and `[2001:db8::1]:4711`. */
function withoutPort(hop: string): string {
  return /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(hop)?.[1] ?? /^\[([^\]]+)\](?::\d+)?$/.exec(hop)?.[1] ?? hop
}

function split(list: string): string[] {
  return list
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}

/** One spelling an address: IPv4-mapped IPv6 is the IPv4 address. */
function parse(address: string): Address | null {
  return isIP(address) === 0 ? null : ipaddr.process(address)
}

/** IPv4-mapped ranges are ranges of IPv4, as the addresses are that they are compared with. */
function rangeOf(text: string): Cidr {
  const [network, bits] = ipaddr.parseCIDR(text)
  const isMapped = network instanceof ipaddr.IPv6 && network.isIPv4MappedAddress() && bits >= 96
  return isMapped ? [network.toIPv4Address(), bits - 96] : [network, bits]
}

function inRange(address: Address, [network, bits]: Cidr): boolean {
  return address.kind() === network.kind() && address.match(network, bits)
}
