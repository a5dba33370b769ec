/** What an app asks of the outside. */
export type EgressRequest = {
  readonly method: string
  readonly url: string
  /** Repeated names are sent as often as they are there. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: Uint8Array | null
  /** Names of headers that no other origin may see, whoever redirects there. */
  readonly secretHeaders: readonly string[]
  readonly connectMs: number
  /** From the first lookup to the last byte, redirects included. */
  readonly totalMs: number
  /** Of the reply's body, unpacked. */
  readonly maxBytes: number
}

/** What the outside answered. */
export type EgressReply = {
  readonly status: number
  /** Lower-case names; repeated ones are joined with commas. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
  /** Where the answer came from, after redirects. */
  readonly url: string
}

/** The only way from an app to the network. */
export interface HttpEgress {
  /**
   * Sends one request. Only to addresses that the operator's rules allow, on every hop.
   * @throws EgressFailure for whatever keeps the answer from coming
   */
  request(request: EgressRequest, signal: AbortSignal): Promise<EgressReply>
}

/** Why there is no answer, in words for the app's author: they never name an address that was looked up. */
export class EgressFailure extends Error {
  override readonly name = 'EgressFailure'
  readonly kind: 'refused' | 'failed'

  constructor(kind: 'refused' | 'failed', message: string, options?: ErrorOptions) {
    super(message, options)
    this.kind = kind
  }
}
