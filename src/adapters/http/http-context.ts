import type { IncomingMessage } from 'node:http'
import type { Clock, Timer } from '#application/ports/clock.ts'
import type { CountryOf } from '#application/ports/country-of.ts'
import type { Log } from '#application/ports/log.ts'
import type { Tracer } from '#application/ports/tracer.ts'
import type { CheckReadiness } from '#application/use-cases/check-readiness.ts'
import type { UseCases } from '#application/use-cases.ts'
import type { ClientAddress } from './client-address.ts'
import type { ConsoleCookies } from './cookies.ts'
import type { Brand } from './pages/brand.ts'

export type OnAnswer = (answer: {
  readonly method: string
  readonly route: string
  readonly status: number
  readonly seconds: number
}) => void

export type InTrace = <T>(traceparent: string, work: () => T) => T

/** What the HTTP room itself needs; the core never sees it. */
export type HttpContext = {
  readonly cases: UseCases
  readonly checkReadiness: CheckReadiness
  readonly settings: HttpSettings
  readonly cookies: ConsoleCookies
  readonly clientAddress: ClientAddress
  /** Whether a request comes straight from one of the proxies that are believed. */
  isTrustedPeer(request: IncomingMessage): boolean
  /** How the pages look. */
  readonly brand: Brand
  /** Null when nobody configured a file that knows. */
  readonly countryOf: CountryOf | null
  readonly log: Log
  readonly now: Clock
  readonly timer: Timer
  readonly version: string
  /** Is told of every answer; null when nobody counts. `route` is a template, `seconds` last until the last byte. */
  readonly onAnswer: OnAnswer | null
  /** Runs an answer's work within the trace that the request names; null when nobody is told of traces. */
  readonly inTrace: InTrace | null
  /** Makes each request a span; null when nobody is told. Only a trusted peer continues a trace of its own. */
  readonly tracing: { readonly tracer: Tracer; isTrusted(request: IncomingMessage): boolean } | null
  /** Replies are checked against their schema: on in tests, off in production. */
  readonly checkReplies: boolean
}

export type HttpSettings = {
  /** Base of the pages' URLs, never derived from the Host header. */
  readonly webOrigin: () => string
  /** RFC 8414 issuer, or null when the server does not know its public origin. */
  readonly issuer: () => string | null
  readonly corsOrigins: readonly string[]
}
