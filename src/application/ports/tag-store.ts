/** A word that a workspace's apps can be found by. */
export type Tag = { readonly id: string; readonly name: string; readonly bindings: number }

export type NewTag = {
  readonly id: string
  readonly workspaceId: string
  readonly name: string
  readonly createdBy: string
  readonly createdAtMs: number
}

/** Tags of apps, by workspace. */
export interface TagStore {
  /** By name; `keyword` is a case-insensitive substring, taken literally. */
  list(workspaceId: string, keyword?: string): Promise<readonly Tag[]>
  /** The tag of that name: the one given, or the one that is there already. */
  put(tag: NewTag): Promise<Tag>
  /** All or nothing, and nothing twice. False when one of the tags is not of the workspace. */
  bind(
    workspaceId: string,
    appId: string,
    tagIds: readonly string[],
    by: { readonly accountId: string; readonly atMs: number },
  ): Promise<boolean>
}
