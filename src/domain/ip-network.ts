/**
 * What a limit by address counts: an IPv4 address itself, of an IPv6 address the /64, since one home or machine has
 * all of its addresses. `ip` is canonical: IPv4-mapped IPv6 comes as IPv4. Any other text stays what it is.
 */
export function networkOf(ip: string): string {
  if (!ip.includes(':')) return ip
  const [address = ''] = ip.split('%')
  const [head = '', tail] = address.split('::')
  const left = groupsOf(head)
  const right = groupsOf(tail ?? '')
  const gap = tail === undefined ? [] : Array.from({ length: Math.max(0, 8 - left.length - right.length) }, () => '0')
  return `${[...left, ...gap, ...right].slice(0, 4).join(':')}::/64`
}

function groupsOf(text: string): readonly string[] {
  return text === '' ? [] : text.split(':').map((group) => group.toLowerCase().replace(/^0+(?=.)/, ''))
}
