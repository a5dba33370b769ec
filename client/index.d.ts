import type { Operations, RunEvent } from './schema.d.ts'

export type { Error as ErrorBody, Operations, RunEvent } from './schema.d.ts'

type Method = 'GET' | 'POST' | 'DELETE'
type PathOf<M extends Method> = keyof Operations extends infer Name
  ? Name extends `${M} ${infer P}`
    ? P
    : never
  : never
type StreamPath = {
  [Name in keyof Operations]: Operations[Name]['streams'] extends true ? Name : never
}[keyof Operations] extends `POST ${infer P}`
  ? P
  : never
type Operation<M extends Method, P extends string> = `${M} ${P}` extends keyof Operations
  ? Operations[`${M} ${P}`]
  : never

/** A part that needs nothing may be left out. */
type Part<Name extends string, Value> = Value extends undefined
  ? { [N in Name]?: never }
  : Record<never, never> extends Value
    ? { [N in Name]?: Value }
    : { [N in Name]: Value }
/** How a run answers is chosen by the method that is called: `POST` waits, `stream` does not. */
type BodyOf<Op extends { body: unknown; streams: boolean }> = Op['streams'] extends true
  ? Omit<Op['body'], 'response_mode'>
  : Op['body']
type Init<Op extends { path: unknown; query: unknown; body: unknown; streams: boolean }> = Part<'path', Op['path']> &
  Part<'query', Op['query']> &
  Part<'body', BodyOf<Op>> & { signal?: AbortSignal }
type Args<I> = Record<never, never> extends I ? [init?: I] : [init: I]

/** One of the answers that the operation is known to give; `status` tells which. */
type Answer<Replies> = {
  [S in keyof Replies]: { readonly status: S; readonly data: Replies[S]; readonly headers: Headers }
}[keyof Replies]
type Refusal<Replies> = Answer<Omit<Replies, 200>>

export interface Client {
  /** @throws UnexpectedAnswer for an answer that is not the API's, and whatever fetch throws */
  GET<P extends PathOf<'GET'>>(
    path: P,
    ...init: Args<Init<Operation<'GET', P>>>
  ): Promise<Answer<Operation<'GET', P>['replies']>>
  /** @throws UnexpectedAnswer for an answer that is not the API's, and whatever fetch throws */
  POST<P extends PathOf<'POST'>>(
    path: P,
    ...init: Args<Init<Operation<'POST', P>>>
  ): Promise<Answer<Operation<'POST', P>['replies']>>
  /** @throws UnexpectedAnswer for an answer that is not the API's, and whatever fetch throws */
  DELETE<P extends PathOf<'DELETE'>>(
    path: P,
    ...init: Args<Init<Operation<'DELETE', P>>>
  ): Promise<Answer<Operation<'DELETE', P>['replies']>>
  /** Starts a run and reads its events as they come; leaving the loop hangs up. */
  stream<P extends StreamPath>(
    path: P,
    ...init: Args<Init<Operation<'POST', P>>>
  ): Promise<
    | { readonly status: 200; readonly events: AsyncGenerator<RunEvent, void, void>; readonly headers: Headers }
    | Refusal<Operation<'POST', P>['replies']>
  >
}

/** `baseUrl` is the server's origin; `fetch` defaults to the platform's. */
export function createClient(options: { baseUrl: string; token?: string; fetch?: typeof globalThis.fetch }): Client

/** The server, or what stands before it, answered something that is not in its OpenAPI document. */
export class UnexpectedAnswer extends Error {
  readonly status: number
}
