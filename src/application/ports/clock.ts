/** Now, in epoch milliseconds. */
export type Clock = () => number

/** Runs `fire` once after `delayMs`; the returned function cancels it. Injected so tests move time themselves. */
export type Timer = (delayMs: number, fire: () => void) => () => void
