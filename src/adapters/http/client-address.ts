import type { IncomingMessage } from 'node:http'
import { isIP, isIPv4 } from 'node:net'
import ipaddr from 'ipaddr.js'

/** In the one spelling that is compared; an IPv4 address also as its number. */
type Address = { readonly text: string; readonly number: number } | { readonly text: string; readonly six: ipaddr.IPv6 }
type Range = (address: Address) => boolean

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
  const isTrusted = (address: Address) => ranges.some((isWithin) => isWithin(address))
  const peers = new Map<string, { readonly address: string; readonly trusted: boolean }>()
  const peerOf = (remoteAddress: string) => {
    const known = peers.get(remoteAddress)
    if (known !== undefined) return known
    const address = parse(remoteAddress)
    const peer = { address: address?.text ?? 'unknown', trusted: address !== null && isTrusted(address) }
    if (peers.size >= MAX_PEERS) peers.clear()
    peers.set(remoteAddress, peer)
    return peer
  }
  return (request) => {
    const { address: peer, trusted: isProxy } = peerOf(request.socket.remoteAddress ?? '')
    if (!isProxy) return peer
    let client = peer
    const hops = readHops(request)
    for (let at = hops.length - 1; at >= 0; at--) {
      const address = parse(hops[at] ?? '')
      if (address === null) return peer
      client = address.text
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
    return address !== null && ranges.some((isWithin) => isWithin(address))
  }
}

/** The address at the other end of the connection, in one spelling. */
export function peerOf(request: IncomingMessage): string {
  return readAddress(request.socket.remoteAddress ?? '') ?? 'unknown'
}

/** An address in the one spelling that is compared; null when `text` is none. */
export function readAddress(text: string): string | null {
  return parse(text)?.text ?? null
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
  if (isIPv4(hop)) return hop
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
  // By hand: behind a proxy every request has one that was never seen before.
  if (isIPv4(address)) return { text: address, number: numberOf(address.split('.').map(Number)) }
  if (isIP(address) === 0) return null
  const parsed = ipaddr.process(address)
  const text = parsed.toString()
  return parsed instanceof ipaddr.IPv6 ? { text, six: parsed } : { text, number: numberOf(parsed.octets) }
}

function numberOf(octets: readonly number[]): number {
  return octets.reduce((number, octet) => number * 256 + octet, 0)
}

/** IPv4-mapped ranges are ranges of IPv4, as the addresses are that they are compared with. */
function rangeOf(text: string): Range {
  const [network, bits] = ipaddr.parseCIDR(text)
  if (network instanceof ipaddr.IPv4) return rangeOf4(network, bits)
  if (network.isIPv4MappedAddress() && bits >= 96) return rangeOf4(network.toIPv4Address(), bits - 96)
  return (address) => 'six' in address && address.six.match(network, bits)
}

function rangeOf4({ octets }: ipaddr.IPv4, bits: number): Range {
  const size = 2 ** (32 - bits)
  const network = Math.floor(numberOf(octets) / size)
  return (address) => 'number' in address && Math.floor(address.number / size) === network
}
