import { type BindingKind, type BindingTarget, providerKey, type UpstreamTarget } from '#domain/binding.ts'
import type {
  AppBinding,
  BindingStore,
  Bindings,
  DatasetBinding,
  LoadBindings,
  ModelBinding,
  StoredBinding,
  ToolBinding,
} from '../ports/bindings.ts'
import type { SecretBox } from '../ports/secrets.ts'

/** Reads a workspace's bindings and opens their keys; one whose key no longer opens is as good as absent. */
export function makeLoadBindings(needs: { bindings: Pick<BindingStore, 'list'>; secretBox: SecretBox }): LoadBindings {
  return async (workspaceId) => {
    const stored = await needs.bindings.list(workspaceId)
    return lookUpIn(stored, needs.secretBox)
  }
}

function lookUpIn(stored: readonly StoredBinding[], box: SecretBox): Bindings {
  const byName = new Map(stored.map((one) => [keyOf(one.subject.kind, one.subject.provider, one.subject.name), one]))
  // Its own, else that of the whole provider.
  const find = (kind: BindingKind, provider: string, name: string) =>
    byName.get(keyOf(kind, provider, name)) ?? byName.get(keyOf(kind, provider, ''))
  const opened = (found: StoredBinding | undefined): (BindingTarget & { key: string | null }) | null => {
    if (found === undefined) return null
    if (found.sealedKey === null) return { ...found.target, key: null }
    const key = box.open(found.sealedKey)
    return key === null ? null : { ...found.target, key }
  }
  return {
    model: (provider, name) => asModel(opened(find('model', providerKey(provider), name))),
    dataset: (datasetId) => asDataset(opened(byName.get(keyOf('dataset', '', datasetId)))),
    tool: (provider, name) => asTool(opened(find('tool', providerKey(provider), name))),
    app: (appId) => {
      const found = byName.get(keyOf('app', '', appId))
      return found?.target.via === 'upstream' ? asApp(found.target, opened(found)) : null
    },
  }
}

type Opened = (BindingTarget & { readonly key: string | null }) | null

function asModel(opened: Opened): ModelBinding | null {
  return opened?.via === 'endpoint' ? opened : null
}

function asDataset(opened: Opened): DatasetBinding | null {
  return opened?.via === 'retriever' ? opened : null
}

function asApp(target: UpstreamTarget, opened: Opened): AppBinding {
  return { ...target, key: opened?.key ?? null }
}

function asTool(opened: Opened): ToolBinding | null {
  switch (opened?.via) {
    case 'openapi':
    case 'mcp':
    case 'app':
    case 'js':
      return opened
    default:
      return null
  }
}

function keyOf(kind: BindingKind, provider: string, name: string): string {
  return JSON.stringify([kind, provider, name])
}
