/** What runs may take; every one can be set by an operator. */
export type RunLimits = {
  /** Executions of nodes in one run, without those inside of containers, and of each of their rounds. */
  readonly steps: number
  /** How long one run may take. */
  readonly runSeconds: number
  /** Characters of what all variables of a run hold at a time, of what one node takes in, and of what a workflow tells. */
  readonly runChars: number
  /** Apps that run apps as tools. */
  readonly appDepth: number
  /** Characters of a variable that an assigner keeps. */
  readonly variableChars: number
  /** Of what a code node returns: characters of a text, items of a list, levels. */
  readonly codeChars: number
  readonly codeItems: number
  readonly codeDepth: number
  readonly codeSeconds: number
  readonly templateChars: number
  /** Of one answer of a model, and of a chat. */
  readonly answerChars: number
  readonly iterationItems: number
  readonly loopRounds: number
  readonly httpConnectSeconds: number
  readonly httpSeconds: number
  readonly httpTextBytes: number
  readonly httpFileBytes: number
}

/** Upstream's, but for lists, whose limit of 30 there is its most hated one. */
export const DEFAULT_LIMITS: RunLimits = {
  steps: 500,
  runSeconds: 1_200,
  runChars: 32_000_000,
  appDepth: 5,
  variableChars: 200 * 1024,
  codeChars: 400_000,
  codeItems: 1_000,
  codeDepth: 5,
  codeSeconds: 15,
  templateChars: 400_000,
  answerChars: 4_000_000,
  iterationItems: 1_000,
  loopRounds: 100,
  httpConnectSeconds: 10,
  httpSeconds: 600,
  httpTextBytes: 1024 * 1024,
  httpFileBytes: 10 * 1024 * 1024,
}
