/** Where text goes. `isTTY` decides colour, spinner and whether foreign control characters must be defused. */
export type TextSink = { readonly isTTY: boolean; write(text: string): void }

/** Everything the client takes from its surroundings, so that a test can hand it all in. */
export type TerminalIo = {
  readonly stdout: TextSink
  readonly stderr: TextSink
  readonly readStdin: () => Promise<string>
  readonly env: Readonly<Record<string, string | undefined>>
  readonly fetch: typeof fetch
  /** Epoch milliseconds. */
  readonly now: () => number
  /** Resolves after `delayMs`, rejects when `signal` aborts. */
  readonly sleep: (delayMs: number, signal: AbortSignal) => Promise<void>
  readonly randomBytes: (count: number) => Uint8Array
  readonly hostname: string
  readonly configDir: string
  readonly version: string
  /** Aborts on Ctrl-C. */
  readonly signal: AbortSignal
}
