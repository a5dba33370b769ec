import type { RequestListener, ServerResponse } from 'node:http'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import { apiRoutes, PREFIX } from '#adapters/http/api-routes.ts'
import { openApiDocument } from '#adapters/http/openapi.ts'
import { probeRoutes } from '#adapters/http/routes/probes.ts'
import { framesIn } from './sse.ts'

/** No server of ours answers this: a test that looks at any status fails on it. */
const MISFIT_STATUS = 599
const BASE = 'https://latchkey.example/document'

type Json = Readonly<Record<string, unknown>>
type Header = { readonly required?: boolean; readonly schema: Json }
type Answer = {
  readonly headers?: Readonly<Record<string, Header>>
  readonly content?: Readonly<Record<string, { schema: Json }>>
}
type Operation = { readonly name: string; readonly path: RegExp; readonly answers: Readonly<Record<string, Answer>> }

const document = strict(JSON.parse(JSON.stringify(openApiDocument(apiRoutes, probeRoutes))))
// Compiling is what costs: each schema is compiled when its first answer comes, where it stands in the document.
const ajv = new Ajv2020({ strict: false, validateFormats: false }).addSchema({ $id: BASE, ...document })
const compiled = new Map<string, ValidateFunction>()
const operations = operationsOf(document)

/** An object that says more than the document tells of it is a leak, so here nothing is taken that is not named. */
// biome-ignore lint/suspicious/noExplicitAny: a walk over JSON of any shape
function strict(value: any): any {
  if (Array.isArray(value)) return value.map(strict)
  if (typeof value !== 'object' || value === null) return value
  const inner = Object.fromEntries(Object.entries(value).map(([key, one]) => [key, strict(one)]))
  const isClosed = typeof inner.properties === 'object' && inner.additionalProperties === undefined
  return isClosed ? { ...inner, unevaluatedProperties: false } : inner
}

// biome-ignore lint/suspicious/noExplicitAny: the document's own test holds its shape
function operationsOf({ paths }: any): readonly Operation[] {
  return Object.entries<Record<string, { responses: Record<string, Answer>; servers?: unknown }>>(paths)
    .toSorted(([a], [b]) => Number(a.includes('{')) - Number(b.includes('{')))
    .flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { responses, servers }]) => ({
        name: `${method.toUpperCase()} ${path}`,
        path: new RegExp(
          `^${servers === undefined ? PREFIX : ''}${path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`,
        ),
        answers: responses,
      })),
    )
}

/** Answers of a server that are held against the OpenAPI document. */
export type Conforming = {
  readonly listener: RequestListener
  /** @throws when any answer so far was not as the document says */
  expectNoMisfit(): void
}

/** A14: lets `handle` answer, and puts a 599 that tells why in the place of an answer that is not in the document. */
export function conforming(handle: RequestListener): Conforming {
  const misfits: string[] = []
  return {
    listener(req, res) {
      const path = (req.url ?? '').split('?')[0] ?? ''
      const isListed = path.startsWith(`${PREFIX}/`) || probeRoutes.some((one) => one.path === path)
      if (isListed && req.method !== 'HEAD' && req.method !== 'OPTIONS') {
        overhear(res, (body, head) => {
          const misfit = misfitOf(String(req.method), path, res.statusCode, head, body)
          if (misfit !== null) misfits.push(misfit)
          return misfit
        })
      }
      handle(req, res)
    },
    expectNoMisfit() {
      if (misfits.length > 0)
        throw new Error(`A14 answers that the OpenAPI document does not know:\n${misfits.join('\n')}`)
    },
  }
}

function overhear(res: ServerResponse, judge: (body: string, head: Head) => string | null): void {
  const parts: Buffer[] = []
  const keep = (chunk: unknown) => {
    if (typeof chunk === 'string' || chunk instanceof Uint8Array) parts.push(Buffer.from(chunk as string)) // either overload
  }
  const { write, end, writeHead } = res
  // A head that was written whole waits for the body: it is not kept where `getHeader` looks.
  let held: HeldHead | null = null
  const release = () => {
    if (held !== null) writeHead.apply(res, held)
    held = null
  }
  res.writeHead = ((...given: HeldHead) => {
    // Node calls it by itself, without a head, for whoever set headers one by one.
    if (given.length === 1) return writeHead.apply(res, given)
    held = given
    return res
  }) as typeof writeHead // its overloads
  res.write = ((...given: Parameters<typeof write>) => {
    keep(given[0])
    release()
    return write.apply(res, given)
  }) as typeof write // its overloads
  res.end = ((...given: Parameters<typeof end>) => {
    keep(given[0])
    // Whoever hung up is given nothing.
    const isGone = res.destroyed || res.req.destroyed
    const misfit = isGone ? null : judge(Buffer.concat(parts).toString(), headOf(res, held))
    if (misfit === null || res.headersSent) {
      release()
      return end.apply(res, given)
    }
    held = null
    res.statusCode = MISFIT_STATUS
    res.removeHeader('Content-Length')
    res.setHeader('Content-Type', 'text/plain')
    return end.call(res, misfit, 'utf8')
  }) as typeof end // its overloads
}

type HeldHead = [status: number, head?: string[]]
/** The value of a header of the answer. */
type Head = (name: string) => string | undefined

function headOf(res: ServerResponse, held: HeldHead | null): Head {
  const names = (held?.[1] ?? []).map((text, at) => (at % 2 === 0 ? text.toLowerCase() : text))
  return (name) => {
    const at = names.indexOf(name.toLowerCase())
    return at === -1 ? res.getHeader(name)?.toString() : names[at + 1]
  }
}

function misfitOf(method: string, path: string, code: number, head: Head, body: string): string | null {
  const status = String(code)
  const found = operations.find((one) => one.name.startsWith(`${method} `) && one.path.test(path))
  const at = `${method} ${path} ${status}`
  // What no operation is, is refused like everything else.
  if (found === undefined) return fits(`#/components/schemas/Error`, `${at} ${body}`, JSON.parse(body))
  const answer = found.answers[status]
  if (answer === undefined) return `${at}: a status that is not listed: ${body}`
  for (const [name, header] of Object.entries(answer.headers ?? {})) {
    const { required = false } = resolved(header)
    if (required && head(name) === undefined) return `${at}: without ${name}`
  }
  if (answer.content === undefined) return body === '' ? null : `${at}: a body where none is listed`
  const type = String(head('Content-Type')).split(';')[0] ?? ''
  if (answer.content[type] === undefined) return `${at}: a content type that is not listed: ${type}`
  if (type === 'text/event-stream') {
    const events = framesIn(body).filter(({ event }) => event !== 'ping')
    return (
      events.map((event) => fits('#/components/schemas/RunEvent', at, event)).find((misfit) => misfit !== null) ?? null
    )
  }
  const [verb = '', template = ''] = found.name.split(' ')
  const steps = ['paths', template, verb.toLowerCase(), 'responses', status, 'content', type, 'schema']
  return fits(`#/${steps.map(escaped).join('/')}`, `${at} ${body}`, JSON.parse(body))
}

function resolved(header: Header | { readonly $ref: string }): Header {
  return '$ref' in header ? document.components.headers[header.$ref.split('/').at(-1) ?? ''] : header
}

function escaped(step: string): string {
  return encodeURIComponent(step.replaceAll('~', '~0').replaceAll('/', '~1'))
}

function fits(pointer: string, at: string, value: unknown): string | null {
  const validate = compiled.get(pointer) ?? ajv.compile({ $ref: BASE + pointer })
  compiled.set(pointer, validate)
  if (validate(value)) return null
  const faults = (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`)
  return `${at}: ${faults.slice(0, 5).join('; ')}`
}
