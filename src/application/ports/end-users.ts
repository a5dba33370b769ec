export type EndUser = {
  /** Taken when there is no such end user yet. */
  readonly id: string
  readonly workspaceId: string
  readonly appId: string
  readonly issuer: string
  readonly email: string
}

/** Who owns what external subjects leave behind in an app. */
export interface EndUsers {
  /** The id of the one row for this person and app, made at the first call; of concurrent first calls too. */
  getOrCreate(endUser: EndUser, atMs: number): Promise<string>
}
