import type { Json } from '#domain/app.ts'
import type { HttpEgress } from '../egress/http-egress.ts'
import type { Script } from './script.ts'

/** Answers that were recorded; `url` may end in `*`. The first that fits answers. */
export type Recording = readonly {
  readonly method: string
  readonly url: string
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** Text as it is, anything else as JSON. */
  readonly body: Json
}[]

/** One transparent pixel. */
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==',
  'base64',
)

/** A network that answers by itself: from the recording, else as the script says. Nothing leaves the process. */
export function createStubEgress(recording: Recording, { body, words }: Script): HttpEgress {
  return {
    async request({ method, url }) {
      const found = recording.find((one) => one.method.toUpperCase() === method.toUpperCase() && fits(one.url, url))
      if (found !== undefined) {
        const isText = typeof found.body === 'string'
        const type = { 'content-type': isText ? 'text/plain; charset=utf-8' : 'application/json' }
        const text = typeof found.body === 'string' ? found.body : JSON.stringify(found.body)
        return { status: found.status, headers: { ...type, ...lowerCase(found.headers) }, body: Buffer.from(text), url }
      }
      const { type, bytes } = made(new URL(url).pathname)
      return { status: 200, headers: { 'content-type': type }, body: bytes, url }
    },
  }

  function made(path: string): { readonly type: string; readonly bytes: Uint8Array } {
    if (/\.(png|jpe?g|gif|webp)$/i.test(path)) return { type: 'image/png', bytes: PNG }
    if (/\.html?$/i.test(path)) return { type: 'text/html', bytes: Buffer.from(`<p>${words}</p>`) }
    if (/\.csv$/i.test(path)) return { type: 'text/csv', bytes: Buffer.from('name,value\nfirst,1\nsecond,2\n') }
    if (/\.(txt|md)$/i.test(path)) return { type: 'text/plain; charset=utf-8', bytes: Buffer.from(words) }
    return { type: 'application/json', bytes: Buffer.from(JSON.stringify(body)) }
  }
}

function fits(pattern: string, url: string): boolean {
  return pattern.endsWith('*') ? url.startsWith(pattern.slice(0, -1)) : url === pattern
}

function lowerCase(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}
