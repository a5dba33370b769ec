import type {
  BindingSubject,
  BindingTarget,
  DatasetTarget,
  ModelTarget,
  ToolTarget,
  UpstreamTarget,
} from '#domain/binding.ts'

/** An opened secret goes to the bound service and nowhere else: not into a log, an error or a trace. */
type Keyed<Target> = Target & { readonly key: string | null }

export type ModelBinding = Keyed<ModelTarget>
export type DatasetBinding = Keyed<DatasetTarget>
export type ToolBinding = Keyed<ToolTarget>
export type AppBinding = Keyed<UpstreamTarget>

/** What a workspace bound, with opened keys, as it stood at one moment. Null when nothing is bound. */
export interface Bindings {
  /** The model's own binding, else that of its whole provider. */
  model(provider: string, name: string): ModelBinding | null
  dataset(datasetId: string): DatasetBinding | null
  /** The tool's own binding, else that of its whole provider. */
  tool(provider: string, name: string): ToolBinding | null
  /** Where a whole app runs; also when its key can no longer be opened, and then without: it must not run here unasked. */
  app(appId: string): AppBinding | null
}

/** Read once a run and once a preflight, so that one run sees one state. */
export type LoadBindings = (workspaceId: string) => Promise<Bindings>

/** A binding at rest. */
export type StoredBinding = {
  readonly workspaceId: string
  readonly subject: BindingSubject
  readonly target: BindingTarget
  /** By SecretBox; null when the service takes no key. */
  readonly sealedKey: string | null
  readonly updatedAtMs: number
}

/** One binding a subject and workspace. */
export interface BindingStore {
  /** By kind, provider and name. */
  list(workspaceId: string): Promise<readonly StoredBinding[]>
  /** Stores, or replaces; the last of concurrent calls stands. */
  put(binding: StoredBinding): Promise<void>
  /** True once, for the call that removed it. */
  remove(workspaceId: string, subject: BindingSubject): Promise<boolean>
}

/** Of a workspace that bound nothing. */
export const NO_BINDINGS: Bindings = { model: () => null, dataset: () => null, tool: () => null, app: () => null }
