/**
 * A client of Latchkey's API for Node and browsers. Plain JavaScript on purpose: a package's files below node_modules
 * are not stripped of types, and a clone has nothing built. The types are in index.d.ts and, generated, schema.d.ts.
 */

/** The server, or what stands before it, answered something that is not in its OpenAPI document. */
export class UnexpectedAnswer extends Error {
  /**
   * @param {number} status
   * @param {string} what
   */
  constructor(status, what) {
    super(`the server answered ${status} with ${what}`)
    this.name = 'UnexpectedAnswer'
    this.status = status
  }
}

/**
 * @typedef {{ path?: Record<string, string>, query?: Record<string, unknown>, body?: unknown, signal?: AbortSignal }} Init
 * @param {{ baseUrl: string, token?: string, fetch?: typeof globalThis.fetch }} options
 */
export function createClient({ baseUrl, token, fetch = globalThis.fetch }) {
  const root = `${baseUrl.replace(/\/+$/, '')}/openapi/v1`

  /**
   * @param {string} method
   * @param {string} accept
   * @param {string} path
   * @param {Init} [init]
   */
  async function send(method, accept, path, { path: params = {}, query = {}, body, signal } = {}) {
    const response = await fetch(root + filled(path, params) + queryString(query), {
      method,
      headers: {
        Accept: accept,
        ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      },
      // A redirect could carry the bearer to another host.
      redirect: 'error',
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
    })
    const type = response.headers.get('content-type')?.split(';')[0] ?? 'no content type'
    if (type === 'text/event-stream' && type === accept && response.body !== null) {
      return { status: response.status, headers: response.headers, events: readEvents(response.body) }
    }
    if (type !== 'application/json') {
      await response.body?.cancel()
      throw new UnexpectedAnswer(response.status, type)
    }
    return { status: response.status, headers: response.headers, data: await jsonOf(response) }
  }

  const call = (/** @type {string} */ method) => (/** @type {string} */ path, /** @type {Init} */ init) =>
    send(method, 'application/json', path, init)
  return {
    GET: call('GET'),
    POST: call('POST'),
    DELETE: call('DELETE'),
    stream: (/** @type {string} */ path, /** @type {Init} */ init) => send('POST', 'text/event-stream', path, init),
  }
}

/** @param {Response} response */
async function jsonOf(response) {
  const text = await response.text()
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) throw new UnexpectedAnswer(response.status, 'no JSON')
    throw error
  }
}

/**
 * @param {string} path
 * @param {Record<string, string>} params
 */
function filled(path, params) {
  return path.replaceAll(/\{(\w+)\}/g, (_, /** @type {string} */ name) => {
    const value = params[name]
    // Dots would climb to another route.
    if (value === undefined || /^\.{0,2}$/.test(value)) throw new TypeError(`path parameter ${name} is missing`)
    return encodeURIComponent(value)
  })
}

/** @param {Record<string, unknown>} query */
function queryString(query) {
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined)
  return pairs.length === 0 ? '' : `?${new URLSearchParams(pairs.map(([name, value]) => [name, String(value)]))}`
}

/**
 * The events of a stream; pings carry none. Leaving the loop hangs up.
 * @param {ReadableStream<Uint8Array<ArrayBuffer>>} body
 */
async function* readEvents(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader()
  let rest = ''
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      const blocks = (rest + part.value).split('\n\n')
      rest = blocks.pop() ?? ''
      for (const block of blocks) {
        const lines = block.split('\n').filter((line) => line.startsWith('data:'))
        if (lines.length > 0) yield JSON.parse(lines.map((line) => line.slice('data:'.length)).join('\n'))
      }
    }
  } finally {
    await reader.cancel()
  }
}
