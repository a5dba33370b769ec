import type { RunJob } from '#application/ports/app-runner.ts'
import type { Bindings } from '#application/ports/bindings.ts'
import type { Retriever } from '#application/ports/retriever.ts'
import type { Json, JsonObject } from '#domain/app.ts'
import type { PreflightIssue } from '#domain/errors.ts'
import type { HumanForm } from '#domain/human-form.ts'
import type { RunFailure, TokenUsage } from '#domain/run.ts'
import type { TemplateRenderer } from '../code/code-runner.ts'
import type { Documents } from '../documents/documents.ts'
import type { ImagesAs } from '../files/stored-file.ts'
import type { GraphNode } from '../graph/graph.ts'
import type { VariablePool } from '../graph/variable-pool.ts'
import type { RunLimits } from '../limits.ts'
import type { ModelClient } from '../models/model-client.ts'
import type { ToolNeeds } from '../tools/tool.ts'

/** What nodes work with. */
export type NodeServices = ToolNeeds & {
  readonly model: ModelClient | null
  readonly templates: TemplateRenderer
  readonly retriever: Retriever
  readonly documents: Documents
  readonly limits: RunLimits
  readonly imagesAs: ImagesAs
  /** What the app's workspace bound its models, datasets and tools to. */
  readonly bindings: Bindings
}

/** A variable's new value. */
export type Assignment = { readonly selector: readonly string[]; readonly value: Json }

/** What an agent does, for those who watch it. */
export type LogEntry = { readonly label: string; readonly status: string; readonly data: JsonObject }

/** One execution of one node. */
export type NodeTask = {
  readonly node: GraphNode
  readonly pool: VariablePool
  readonly job: RunJob
  readonly services: NodeServices
  /** Tells a piece of the node's `text` while it grows; resolves when the run has room for more. */
  readonly emit: (delta: string) => Promise<void>
  /** Tells what an agent does; resolves as `emit` does. */
  readonly log: (entry: LogEntry) => Promise<void>
  /** Changes variables for every later reader at once; resolves when those of the conversation are kept. */
  readonly assign: (assignments: readonly Assignment[]) => Promise<void>
  readonly signal: AbortSignal
}

/** What a node made of it. */
export type NodeResult = {
  readonly inputs: JsonObject
  readonly outputs: JsonObject
  readonly processData?: JsonObject
  readonly usage?: TokenUsage
  /** For branching nodes: the names the chosen branch may go by, best first. */
  readonly handles?: readonly string[]
  readonly retrieverResources?: readonly Json[]
  /** What a person has to answer before the node is done. */
  readonly asks?: Omit<HumanForm, 'formId' | 'nodeId' | 'nodeTitle'>
}

/** One type of node. */
export type NodeExecutor = {
  /** @throws NodeFailure for what the app, its data or its model does */
  readonly run: (task: NodeTask) => Promise<NodeResult>
  /** What keeps this node from running here, known before the run. */
  readonly check?: (node: GraphNode, services: NodeServices) => Missing | null
  /** Begins, as a run of the app does, with what takes long to be there; the run may never come to the node. */
  readonly expect?: (node: GraphNode, services: NodeServices, appId: string) => void
}

/** What a node lacks here. */
export type Missing = { readonly kind: 'model' | 'node' } & Pick<PreflightIssue, 'reason' | 'fix'>

/** An expected failure of a node; the app may have a strategy for it. */
export class NodeFailure extends Error {
  override readonly name = 'NodeFailure'
  /** Names the kind of fault to the app's fail branch. */
  readonly errorType: string
  readonly failure: RunFailure
  readonly inputs: JsonObject
  readonly usage: TokenUsage | null

  constructor(
    errorType: string,
    message: string,
    facts: { readonly failure?: RunFailure; readonly inputs?: JsonObject; readonly usage?: TokenUsage | null } = {},
    options?: ErrorOptions,
  ) {
    super(message, options)
    this.errorType = errorType
    this.failure = facts.failure ?? { code: 'invalid_param', message }
    this.inputs = facts.inputs ?? {}
    this.usage = facts.usage ?? null
  }
}
