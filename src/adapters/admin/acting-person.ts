import type { UseCases } from '#application/use-cases.ts'
import { defaultWorkspaceId } from '#domain/workspace.ts'
import { type AdminReply, failed } from './reply.ts'

/** Who a command is done as (`--as`, else whoever set the server up), and in which workspace. */
export async function actingPerson(
  cases: UseCases,
  options: { readonly as?: string | undefined; readonly workspace?: string | undefined },
): Promise<{ accountId: string; workspaceId: string } | AdminReply> {
  const account = options.as === undefined ? await cases.owner() : await cases.findAccount(options.as)
  if (account === null) {
    return failed(
      options.as === undefined ? 'not set up yet: visit /install first' : 'no account has the email of --as',
    )
  }
  const joined = await cases.listWorkspaces(account.id)
  const workspaceId = options.workspace ?? defaultWorkspaceId(joined)
  if (workspaceId === null) return failed('this account is in no workspace')
  if (!joined.some((one) => one.workspaceId === workspaceId)) return failed('not a member of this workspace')
  return { accountId: account.id, workspaceId }
}
