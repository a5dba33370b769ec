import type { Random } from './random.ts'

/** A JSON Schema as far as our document uses it. */
// biome-ignore lint/suspicious/noExplicitAny: schemas nest in each other in every way
export type Schema = any

const MANY = 10_000

/** Text that has broken readers somewhere. */
export const HOSTILE_TEXTS: readonly string[] = [
  '',
  ' ',
  '\t\r\n',
  '\u0000',
  'a\u0000b',
  '\u001b[31m',
  '\ud800',
  'a\udfffb',
  '\u202eabc',
  '\ufeffabc',
  'é̂́'.repeat(50),
  '👩‍👩‍👧‍👦'.repeat(40),
  'İıſK',
  '__proto__',
  'constructor',
  'toString',
  'null',
  'undefined',
  'NaN',
  '-1',
  '0',
  '1e400',
  '99999999999999999999',
  '%00',
  '%zz',
  '../../../../etc/passwd',
  '..\\..\\windows',
  '<script>alert(1)</script>',
  `'; drop table accounts; --`,
  '{{7*7}}#{7*7}',
  '$(id)`id`|id',
  'http://169.254.169.254/latest/meta-data/',
  'file:///etc/passwd',
  'a'.repeat(65),
  'a'.repeat(256),
  'a'.repeat(MANY),
  '00000000-0000-0000-0000-000000000000',
  'FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF',
]

/** Values of every other kind. */
export const HOSTILE_VALUES: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -0,
  -1,
  1.5,
  2 ** 31,
  2 ** 53,
  -(2 ** 63),
  1e308,
  [],
  [[]],
  [[['a']]],
  [null],
  {},
  { a: { b: { c: {} } } },
  JSON.parse('{"__proto__":{"polluted":1}}'),
  { constructor: { prototype: { polluted: 1 } } },
  { toString: 1, valueOf: null, hasOwnProperty: 'x' },
  { $ref: '#', $ne: null, $gt: '' },
  Array.from({ length: 1000 }, (_, at) => at),
  Object.fromEntries(Array.from({ length: 1000 }, (_, at) => [`k${at}`, at])),
]

/** Any value at all. A copy: one that is changed and drawn again could come to hold itself. */
export function hostileValue(random: Random): unknown {
  return random.chance(0.6) ? random.pick(HOSTILE_TEXTS) : structuredClone(random.pick(HOSTILE_VALUES))
}

/** What `schema` takes, often at one of its edges, and now and then just beyond. */
export function sampleOf(schema: Schema, random: Random, depth = 0): unknown {
  if (schema === true || schema === undefined || depth > 6) return random.pick(['a', 1, true, null, {}])
  if ('const' in schema) return schema.const
  if (schema.enum !== undefined) return random.pick(schema.enum)
  const variants = schema.anyOf ?? schema.oneOf
  if (variants !== undefined) return sampleOf(random.pick(variants), random, depth + 1)
  if (schema.allOf !== undefined) {
    const parts = schema.allOf.map((part: Schema) => sampleOf(part, random, depth + 1))
    return parts.every((part: unknown) => typeof part === 'object') ? Object.assign({}, ...parts) : parts[0]
  }
  const type = Array.isArray(schema.type) ? random.pick<string>(schema.type) : schema.type
  switch (type) {
    case 'integer':
    case 'number':
      return numberOf(schema, random)
    case 'boolean':
      return random.chance(0.5)
    case 'null':
      return null
    case 'array':
      return Array.from({ length: random.pick([0, 1, 2, 3]) }, () => sampleOf(schema.items, random, depth + 1))
    case 'string':
      return textOf(schema, random)
    default:
      return objectOf(schema, random, depth)
  }
}

function numberOf({ minimum = 0, maximum = 200 }: Schema, random: Random): number {
  return random.pick([minimum, minimum + 1, maximum - 1, maximum, 20, 1, 2, 3, minimum - 1, maximum + 1])
}

function textOf({ format, minLength = 0, maxLength = 40 }: Schema, random: Random): string {
  if (format === 'uuid') return uuid(random)
  if (format === 'uri') return 'https://files.example/a.png'
  const length = random.pick([
    minLength,
    minLength + 1,
    Math.min(maxLength, 12),
    maxLength,
    Math.min(maxLength, 3),
    maxLength + 1,
  ])
  return random.pick(['a', 'B', '7', 'é', ' ', '漢']).repeat(Math.min(length, MANY))
}

function objectOf({ properties = {}, required = [], additionalProperties }: Schema, random: Random, depth: number) {
  const given: Record<string, unknown> = {}
  for (const [name, schema] of Object.entries<Schema>(properties)) {
    const isGiven = required.includes(name) || random.chance(0.5)
    if (isGiven) given[name] = sampleOf(schema, random, depth + 1)
  }
  if (typeof additionalProperties === 'object' && random.chance(0.4))
    given.extra = sampleOf(additionalProperties, random, depth + 1)
  return given
}

export function uuid(random: Random): string {
  const hex = Array.from({ length: 32 }, () => random.below(16).toString(16)).join('')
  return hex.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, '$1-$2-7$3-8$4-$5')
}
