import type { JsonObject } from './app.ts'

export type BindingKind = 'model' | 'dataset' | 'tool' | 'app'

/**
 * The part of app files that is bound: a model by provider and name, a dataset by its id (no provider), a tool by
 * provider and name. An empty name stands for everything of the provider. A whole app is bound by its id (no provider).
 */
export type BindingSubject = { readonly kind: BindingKind; readonly provider: string; readonly name: string }

/** A model of an OpenAI-compatible endpoint. A null `model` asks for the name in the app file. */
export type ModelTarget = { readonly via: 'endpoint'; readonly url: string; readonly model: string | null }

/** Knowledge behind the external knowledge protocol: `POST {url}/retrieval`. */
export type DatasetTarget = { readonly via: 'retriever'; readonly url: string; readonly knowledgeId: string }

/** What a tool of an app file does here. */
export type ToolTarget =
  /** An operation of an OpenAPI document; null means the tool's own name. `header` carries the key, null: a bearer. */
  | {
      readonly via: 'openapi'
      readonly url: string
      readonly document: JsonObject
      readonly operationId: string | null
      readonly header: string | null
    }
  /** A tool of an MCP server (streamable HTTP); null means the tool's own name. */
  | { readonly via: 'mcp'; readonly url: string; readonly tool: string | null }
  /** Another app of the workspace. */
  | { readonly via: 'app'; readonly appId: string }
  /** JavaScript with a function `main(parameters)`, run in the sandbox. */
  | { readonly via: 'js'; readonly code: string }

/** The Service API of another server, up to its version (`https://dify.example/v1`), where the app runs. */
export type UpstreamTarget = { readonly via: 'upstream'; readonly url: string }

/** What stands for the subject here. */
export type BindingTarget = ModelTarget | DatasetTarget | ToolTarget | UpstreamTarget

/** The provider as bindings know it: `langgenius/openai/openai`, as newer files write it, is `openai`. */
export function providerKey(provider: string): string {
  return (provider.trim().split('/').at(-1) ?? '').toLowerCase()
}
