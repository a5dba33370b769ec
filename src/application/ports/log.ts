/** One structured line. `facts` never hold secrets, codes or digests. */
export type LogLine = (message: string, facts?: Readonly<Record<string, unknown>>) => void

export interface Log {
  info: LogLine
  warn: LogLine
  error: LogLine
}
