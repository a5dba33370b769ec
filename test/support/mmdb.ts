/** The bytes of a MaxMind DB (format 2.0) that knows one IPv4 network, given as its leading bits. */
export function anMmdb(prefix: string, isoCode: string): Buffer {
  const bits = [...'0'.repeat(96), ...prefix]
  const nodes = bits.length
  const tree = Buffer.concat(
    bits.map((bit, at) => {
      // A record beyond the nodes points 16 bytes of separator away, into the data; equal to them is "not found".
      const onward = at + 1 < nodes ? at + 1 : nodes + 16
      const [left, right] = bit === '0' ? [onward, nodes] : [nodes, onward]
      const node = Buffer.alloc(6)
      node.writeUIntBE(left, 0, 3)
      node.writeUIntBE(right, 3, 3)
      return node
    }),
  )
  const data = map([['country', map([['iso_code', text(isoCode)]])]])
  const metadata = map([
    ['node_count', uint(nodes, 6)],
    ['record_size', uint(24, 5)],
    ['ip_version', uint(6, 5)],
    ['database_type', text('Test-Country')],
    ['languages', Buffer.from([0x00, 0x04])],
    ['binary_format_major_version', uint(2, 5)],
    ['binary_format_minor_version', uint(0, 5)],
    ['build_epoch', Buffer.from([0x04, 0x02, 1, 0, 0, 0])],
    ['description', map([])],
  ])
  return Buffer.concat([tree, Buffer.alloc(16), data, Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1'), metadata])
}

function text(value: string): Buffer {
  return Buffer.concat([Buffer.from([(2 << 5) | value.length]), Buffer.from(value)])
}

/** `type` 5 is uint16, 6 is uint32. */
function uint(value: number, type: 5 | 6): Buffer {
  return Buffer.from([(type << 5) | 2, value >> 8, value & 255])
}

function map(entries: readonly (readonly [string, Buffer])[]): Buffer {
  return Buffer.concat([
    Buffer.from([(7 << 5) | entries.length]),
    ...entries.flatMap(([key, value]) => [text(key), value]),
  ])
}
