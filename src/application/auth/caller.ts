import type { Owner } from '../ports/conversation-store.ts'

/** Who a run is for, once every guard has passed. */
export type Caller = {
  readonly kind: 'account' | 'end_user'
  /** Owns the conversations and runs it makes. */
  readonly owner: Owner
  /** The workspace the call works in: always the app's. */
  readonly workspaceId: string
}
