import type { Json } from '#domain/app.ts'
import { NO_USAGE, type TokenUsage } from '#domain/run.ts'
import type { ModelClient, ModelMessage, ModelRequest } from '../models/model-client.ts'
import type { AgentTool } from './agent-tool.ts'

/** What an agent is to do, and with what. */
export type AgentTask = {
  readonly model: ModelClient
  readonly request: Pick<ModelRequest, 'model' | 'provider' | 'params'>
  readonly instruction: string
  readonly history: readonly ModelMessage[]
  readonly query: ModelMessage
  readonly tools: readonly AgentTool[]
  /** After as many rounds the model has to answer without tools. */
  readonly maxRounds: number
}

/** One use of a tool; the observation is null until it is there. */
export type ToolUse = {
  readonly tool: string
  readonly label: string
  readonly input: string
  readonly observation: string | null
}

/** What an agent tells while it works. Positions count its rounds from 1. */
export type AgentStep =
  | { readonly kind: 'round'; readonly position: number }
  | { readonly kind: 'text'; readonly delta: string }
  /** Twice a round: when the model chose its tools, and when they answered. */
  | { readonly kind: 'used'; readonly position: number; readonly thought: string; readonly uses: readonly ToolUse[] }
  | { readonly kind: 'answered'; readonly position: number; readonly thought: string }

/** What one agent used and gave so far; changed in place, so that it is there whatever ends the agent. */
export type Tally = { usage: TokenUsage; readonly json: Json[]; readonly files: Json[] }

/** Nothing yet. */
export function newTally(): Tally {
  return { usage: NO_USAGE, json: [], files: [] }
}
