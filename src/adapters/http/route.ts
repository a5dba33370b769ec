import type { Context } from 'koa'
import * as v from 'valibot'
import type { UseCases } from '#application/use-cases.ts'
import { DomainError, type ErrorCode } from '#domain/errors.ts'
import { isUuid } from '#domain/uuid.ts'
import { type Access, admit, type WhoBy } from './admit.ts'
import { answerJson, handOverHead } from './answer.ts'
import { type Answered, isAnswered } from './answered.ts'
import { MAX_BODY_BYTES, readBody } from './body.ts'
import type { HttpContext } from './http-context.ts'
import { type InvalidStyle, type ObjectSchema, parseInput, queryObject, refuse, withoutEmpty } from './input.ts'
import type { Redirect } from './redirect.ts'
import { LazyFacts, type RequestFacts } from './request-facts.ts'
import { type EventStream, writeEventStream } from './sse.ts'

type Params = Readonly<Record<string, string>>
type Output<S> = S extends ObjectSchema ? v.InferOutput<S> : Readonly<Record<string, unknown>>

type Definition<A extends Access, Q, B, R extends ObjectSchema> = {
  readonly method: 'get' | 'post' | 'put' | 'delete'
  readonly path: string
  readonly summary: string
  readonly access: A
  readonly status?: number
  readonly query?: Q
  readonly body?: B
  readonly form?: boolean
  /** The body is one file in a part of this name, which the handler asks for. */
  readonly filePart?: 'file'
  readonly maxBytes?: number
  readonly invalid?: InvalidStyle
  /** What a path id that is no UUID answers: the same as an unknown one. */
  readonly missing?: ErrorCode &
    ('session_not_found' | 'workspace_not_found' | 'app_not_found' | 'import_not_found' | 'not_found')
  readonly cacheable?: boolean
  /** Of every answer, refusals too. */
  readonly headers?: Readonly<Record<string, string>>
  readonly reply: R
  /** Further answers by status, which no refusal is. */
  readonly also?: Readonly<Record<number, Also>>
  /** The reply may also be an event stream, or never is anything else. */
  readonly streams?: boolean | 'only'
  /** Its own refusals; those of admission and of reading the input are known from the rest. */
  readonly errors: readonly ErrorCode[]
  /** What the OpenAPI document shows of it. */
  readonly example?: {
    readonly params?: Params
    readonly query?: Q extends ObjectSchema ? v.InferInput<Q> : never
    readonly body?: B extends ObjectSchema ? v.InferInput<B> : never
    readonly reply: v.InferOutput<R>
    readonly events?: readonly object[]
  }
  readonly handle: (
    input: { readonly query: Output<Q>; readonly body: Output<B>; readonly params: Params },
    who: WhoBy[A['kind']],
    cases: UseCases,
    facts: RequestFacts,
  ) => Promise<v.InferInput<R> | EventStream | Redirect | Answered> | v.InferInput<R>
}

/** One more answer of a route; `name` is what the OpenAPI document calls its example. */
export type Also = {
  readonly name: string
  readonly description: string
  readonly reply: ObjectSchema
  readonly example: object
}

export type Example = {
  readonly params?: Params
  readonly query?: unknown
  readonly body?: unknown
  readonly reply: unknown
  readonly events?: readonly object[]
}

/** A route as the app and the OpenAPI document see it. */
export type Route = {
  readonly method: 'get' | 'post' | 'put' | 'delete'
  readonly path: string
  readonly summary: string
  readonly access: Access
  readonly status: number
  readonly query: ObjectSchema | undefined
  readonly body: ObjectSchema | undefined
  readonly form: boolean
  readonly filePart: 'file' | undefined
  readonly invalid: InvalidStyle
  readonly cacheable: boolean
  readonly headers: Readonly<Record<string, string>>
  readonly reply: ObjectSchema
  readonly also: Readonly<Record<number, Also>>
  readonly streams: boolean | 'only'
  readonly errors: readonly ErrorCode[]
  readonly example: Example | undefined
  /** Admits, parses, handles, answers: in that order, for every route. */
  readonly serve: (ctx: Context, http: HttpContext) => Promise<void>
}

/** Declares a route. */
export function route<
  const A extends Access,
  R extends ObjectSchema,
  Q extends ObjectSchema | undefined = undefined,
  B extends ObjectSchema | undefined = undefined,
>(definition: Definition<A, Q, B, R>): Route {
  const { query, body, invalid = 'issues', form = false, maxBytes = MAX_BODY_BYTES } = definition
  return {
    ...definition,
    status: definition.status ?? 200,
    query,
    body,
    form,
    filePart: definition.filePart,
    invalid,
    cacheable: definition.cacheable ?? false,
    headers: definition.headers ?? {},
    also: definition.also ?? {},
    streams: definition.streams ?? false,
    example: definition.example,
    async serve(ctx, http) {
      const params: Params = ctx.params ?? {}
      const who = await admit(definition.access, ctx, http)
      const parsed = body === undefined ? null : await readBody(ctx, { json: true, form, maxBytes, invalid })
      if (parsed !== null && parsed.repeated.length > 0) throw refuseRepeated(parsed.repeated, invalid)
      const given = invalid === 'oauth' ? withoutEmpty(parsed?.value) : parsed?.value
      const input = {
        query: parseQuery(query, ctx, invalid),
        body: (body === undefined ? {} : parseInput(body, given, invalid)) as Output<B>, // B is undefined or its schema
        params,
      }
      if (!Object.values(params).every(isUuid)) throw new DomainError(definition.missing ?? 'not_found', {})
      const reply = await definition.handle(input, who, http.cases, new LazyFacts(ctx, http))
      if (isAnswered(reply)) return answerAlso(ctx, http, definition.also ?? {}, reply)
      await answer(ctx, http, definition.reply, definition.status ?? 200, reply)
    },
  }

  function parseQuery(schema: ObjectSchema | undefined, ctx: Context, style: InvalidStyle): Output<Q> {
    const parsed = schema === undefined ? {} : parseInput(schema, queryObject(ctx.querystring, style), style)
    return parsed as Output<Q> // Q is undefined or the schema just used
  }
}

function refuseRepeated(names: readonly string[], style: InvalidStyle): DomainError {
  return refuse(
    names.map((name) => ({ type: 'repeated', loc: [name], msg: 'must not be repeated' })),
    style,
  )
}

async function answer(
  ctx: Context,
  http: HttpContext,
  schema: ObjectSchema,
  status: number,
  reply: unknown,
): Promise<void> {
  if (isRedirect(reply)) {
    ctx.status = status
    ctx.set('Location', reply.location)
    ctx.body = ''
    return
  }
  if (!isEventStream(reply)) {
    if (http.checkReplies) v.parse(schema, reply)
    answerJson(ctx, status, reply)
    return
  }
  ctx.set({ 'Content-Type': 'text/event-stream; charset=utf-8', 'X-Accel-Buffering': 'no' })
  ctx.respond = false
  ctx.res.statusCode = status
  handOverHead(ctx)
  await writeEventStream(ctx.res, reply, http.timer)
}

function answerAlso(ctx: Context, http: HttpContext, also: Readonly<Record<number, Also>>, reply: Answered): void {
  const declared = also[reply.status]
  if (declared === undefined) throw new Error(`a status that the route does not declare: ${reply.status}`)
  if (http.checkReplies) v.parse(declared.reply, reply.body)
  answerJson(ctx, reply.status, reply.body)
}

function isRedirect(reply: unknown): reply is Redirect {
  return typeof reply === 'object' && reply !== null && 'kind' in reply && reply.kind === 'redirect'
}

function isEventStream(reply: unknown): reply is EventStream {
  return typeof reply === 'object' && reply !== null && 'kind' in reply && reply.kind === 'event-stream'
}
