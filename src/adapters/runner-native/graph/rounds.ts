import type { Json, JsonObject } from '#domain/app.ts'
import type { RunLimits } from '../limits.ts'
import type { Graph, GraphNode } from './graph.ts'
import type { RoundPlan } from './scheduler-events.ts'
import type { VariablePool } from './variable-pool.ts'

/** A container that knows what it is to repeat. */
export type Opened = {
  readonly plan: RoundPlan
  readonly inputs: JsonObject
  /** The variables of a shared pool that every round changes; none when each round has a pool of its own. */
  readonly shared: JsonObject | null
  readonly items: readonly Json[]
}

/** What a round of a container came to: the value that it gives, or that it failed. */
export type RoundResult = { readonly ok: true; readonly value: Json } | { readonly ok: false }

/** One kind of container. */
export type ContainerExecutor = {
  /** @throws NodeFailure when there is nothing that could be repeated */
  readonly open: (node: GraphNode, pool: VariablePool, limits: RunLimits) => Opened
  /** The variables that a round begins with. */
  readonly enter: (node: GraphNode, pool: VariablePool, opened: Opened, round: number, inner: Graph) => VariablePool
  /** What a round gives to the whole. */
  readonly resultOf: (node: GraphNode, pool: VariablePool) => Json
  /** Whether another round follows. */
  readonly again: (node: GraphNode, pool: VariablePool) => boolean
  readonly close: (node: GraphNode, pool: VariablePool, results: readonly (RoundResult | undefined)[]) => JsonObject
}
