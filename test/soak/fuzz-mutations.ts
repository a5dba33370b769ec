import { HOSTILE_TEXTS, hostileValue } from './fuzz-values.ts'
import type { Random } from './random.ts'

/** A request before it is written down; mutations change it in place. */
export type Draft = {
  method: string
  path: string
  query: [string, string][]
  /** Stands in the place of `query`. */
  rawQuery: string | null
  headers: Record<string, string>
  /** The media type of the body; null is none. */
  type: string | null
  value: unknown
  /** How much of the written body is sent, from 0 to 1; null is all. */
  chop: number | null
  /** Stands in the place of `value`. */
  raw: string | null
  isChunked: boolean
}

type Mutation = (draft: Draft, random: Random) => void

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'TRACE', 'PROPFIND', 'QUERY']
const TYPES = [
  'application/json',
  'application/json; charset=utf-16',
  'application/json; charset="x',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=',
  'multipart/form-data; boundary=x',
  'text/plain',
  'application/xml',
  'application/octet-stream',
  'application/merge-patch+json',
  '/',
  'a',
  '*/*',
]
const DEEP = `${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`
const HUGE = JSON.stringify({ inputs: {}, query: 'x'.repeat(1_200_000) })
const RAW_BODIES = [
  '',
  '{',
  '[]',
  'null',
  '7',
  '"text"',
  '\ufeff{}',
  '\u0000',
  '{"a":1,"a":2}',
  '{"__proto__":{"polluted":1}}',
  '{"constructor":{"prototype":{"polluted":1}}}',
  '[[[[[[',
  '{"a":1e999}',
  `{'a':1}`,
  'a=b&a=c&__proto__=1&__proto__[polluted]=1',
  '%&=&&==',
  '%zz=%00',
  '--x\r\nContent-Disposition: form-data; name="file"; filename="../../a\\u0000.png"\r\n\r\nabc\r\n--x--\r\n',
  '--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\nabc',
]
/** These cost a hundred times what the others do. */
const LARGE_BODIES = [DEEP, HUGE]
const QUERIES = [
  '&&=&%',
  '%zz',
  '%00=%00',
  'a[]=1&a[b]=2',
  '__proto__=1&constructor=2&__proto__[polluted]=1',
  '%ED%A0%80=%ff',
  Array.from({ length: 1000 }, (_, at) => `k${at}=${at}`).join('&'),
  `page=${'9'.repeat(400)}`,
]
const HEADER_VALUES: Readonly<Record<string, readonly string[]>> = {
  Accept: ['', '*/*', 'text/event-stream', 'text/html', 'application/json;q=0', 'x'.repeat(4000), ';;q=,'],
  Authorization: [
    '',
    'Bearer',
    'Bearer ',
    'bearer x',
    'Basic YTpi',
    'Bearer dfoa_',
    'Bearer a b',
    `Bearer ${'a'.repeat(9000)}`,
  ],
  Cookie: [
    '',
    '=',
    ';;;',
    'access_token=',
    'access_token=a.b.c; csrf_token=x',
    'device_approval_grant=e30.e30.e30',
    '__proto__=1',
  ],
  'X-CSRF-Token': ['', 'x', 'é'],
  'X-Forwarded-For': [
    '',
    ',',
    'x',
    '::',
    '1.2.3.4, 5.6.7.8',
    '999.1.1.1',
    '[::1]:80',
    'unknown',
    '127.0.0.1,'.repeat(200),
  ],
  Forwarded: ['for=', 'for="[::1"', 'for=1.2.3.4;proto=x, for=_hidden', ';;;'],
  Host: ['', 'evil.example', 'a b', '[::1', 'x'.repeat(300)],
  Origin: ['null', 'https://evil.example', '', 'not a url'],
  'Accept-Language': ['zh', '*', '-', 'x'.repeat(2000), 'en;q=2'],
  'X-Request-Id': ['', ' ', 'x'.repeat(500), 'a\tb', '<script>'],
  traceparent: ['', '00-0-0-0', `00-${'0'.repeat(32)}-${'0'.repeat(16)}-01`, 'ff-x'],
  'Content-Encoding': ['gzip', 'br', 'identity', 'x'],
  'Content-Type': TYPES,
  'If-None-Match': ['*', '"x"', 'W/'],
  Range: ['bytes=0-', 'bytes=-1', 'x'],
  Expect: ['100-continue', 'x'],
  'Last-Event-ID': ['', '-1', '1e9', '99999999999999999999', 'x'],
  'X-HTTP-Method-Override': ['DELETE'],
  'X-Big': ['x'.repeat(20_000)],
}

const inBody =
  (change: (members: Record<string, unknown>, name: string, random: Random) => void): Mutation =>
  (draft, random) => {
    const { value } = draft
    if (typeof value !== 'object' || value === null) return
    const members = value as Record<string, unknown> // an array too, by its indices
    const [name] = Object.keys(members).length === 0 ? ['extra'] : [random.pick(Object.keys(members))]
    change(members, name, random)
  }

const MUTATIONS: Readonly<Record<string, Mutation>> = {
  replaceMember: inBody((members, name, random) => {
    members[name] = hostileValue(random)
  }),
  dropMember: inBody((members, name) => {
    delete members[name]
  }),
  addMember: inBody((members, _, random) => {
    Object.defineProperty(members, random.pick(HOSTILE_TEXTS), {
      value: hostileValue(random),
      enumerable: true,
      configurable: true,
      writable: true,
    })
  }),
  deepen: inBody((members, name, random) => {
    members[name] = random.chance(0.5) ? [members[name]] : { [name]: members[name] }
  }),
  replaceBody: (draft, random) => {
    draft.value = hostileValue(random)
  },
  listBody: (draft) => {
    draft.value = [draft.value, draft.value]
  },
  rawBody: (draft, random) => {
    draft.raw = random.pick(random.chance(0.9) ? RAW_BODIES : LARGE_BODIES)
  },
  chopBody: (draft, random) => {
    draft.chop = random.unit()
  },
  noBody: (draft) => {
    draft.value = undefined
  },
  type: (draft, random) => {
    draft.type = random.chance(0.1) ? null : random.pick(TYPES)
  },
  chunk: (draft) => {
    draft.isChunked = true
  },
  method: (draft, random) => {
    draft.method = random.pick(METHODS)
  },
  header: (draft, random) => {
    const name = random.pick(Object.keys(HEADER_VALUES))
    draft.headers[name] = random.pick(HEADER_VALUES[name] ?? [])
  },
  noCredentials: (draft) => {
    draft.headers = {}
  },
  replaceQuery: (draft, random) => {
    const pair = draft.query[random.below(draft.query.length)]
    if (pair !== undefined) pair[1] = random.pick(HOSTILE_TEXTS).toWellFormed()
  },
  repeatQuery: (draft, random) => {
    const pair = draft.query[random.below(draft.query.length)]
    if (pair !== undefined) draft.query.push([pair[0], random.pick(HOSTILE_TEXTS).toWellFormed()])
  },
  addQuery: (draft, random) => {
    draft.query.push([random.pick(HOSTILE_TEXTS).toWellFormed(), 'x'])
  },
  rawQuery: (draft, random) => {
    draft.rawQuery = random.pick(QUERIES)
  },
  segment: (draft, random) => {
    const segments = draft.path.split('/')
    segments[1 + random.below(segments.length - 1)] = pathText(random)
    draft.path = segments.join('/')
  },
  lastSegment: (draft, random) => {
    draft.path = draft.path.replace(/[^/]*$/, () => pathText(random))
  },
  bendPath: (draft, random) => {
    const bend = random.pick<(path: string) => string>([
      (path) => `${path}/`,
      (path) => path.replace('/', '//'),
      (path) => path.replaceAll('/', '//'),
      (path) => path.toUpperCase(),
      (path) => `${path};a=1`,
      (path) => path.replace(/\/[^/]*$/, (last) => `/..${last}`),
      (path) => path.replace(/\/[^/]*$/, (last) => `/%2e%2e${last}`),
      (path) => path.replace(/\/([^/]*)$/, '%2f$1'),
      (path) => path.replace(/.$/, (last) => `%${last.charCodeAt(0).toString(16)}`),
      (path) => `${path}%00`,
      (path) => `${path}%zz`,
      (path) => `${path}%ff%fe`,
      (path) => path.replaceAll('/', '\\'),
      (path) => `${path}/${'a/'.repeat(300)}`,
      (path) => `http://evil.example${path}`,
    ])
    draft.path = bend(draft.path)
  },
}

function pathText(random: Random): string {
  const text = random.pick(HOSTILE_TEXTS).toWellFormed().slice(0, 2000)
  return random.chance(0.8) ? encodeURIComponent(text) : text.replaceAll(/[^!-~]|[?#]/g, '')
}

/** Changes one thing about a request, for the worse. */
export function mutate(draft: Draft, random: Random): void {
  const mutation = MUTATIONS[random.pick(Object.keys(MUTATIONS))]
  mutation?.(draft, random)
}
