/** What a span says of itself: names and numbers of ours, never what anybody sent, wrote or holds. */
export type SpanFacts = Readonly<Record<string, string | number | boolean>>

/** How a piece of work ended. `fault` is a code or the name of an error, never its message. */
export type SpanEnd = { readonly fault?: string | undefined; readonly name?: string; readonly facts?: SpanFacts }

/** One piece of work under way. */
export type Span = {
  /** What begins in `work`, also later, is part of this. */
  within<T>(work: () => T): T
  /** The second call is not heard. */
  end(how?: SpanEnd): void
}

/** The trace that a caller names (W3C Trace Context); only a trusted one may continue its own. */
export type RemoteParent = { readonly traceparent: string; readonly isTrusted: boolean }

/** Tells an operator where time goes. Never throws, and waits for nothing. */
export interface Tracer {
  /** A request begins a trace; anything else outside of one is not told. */
  begin(name: string, kind: 'server' | 'internal' | 'client', facts?: SpanFacts, from?: RemoteParent): Span
  /** What to pass on to those who are asked next; null outside of any trace. */
  traceparent(): string | null
}
