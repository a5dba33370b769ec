import type { UseCases } from '#application/use-cases.ts'
import { MAX_PAGE_LIMIT } from '#domain/page.ts'
import { isUuid } from '#domain/uuid.ts'
import { actingPerson } from './acting-person.ts'
import { type AdminReply, failed } from './reply.ts'

/** An app by its id, or by a name that only one has. */
export async function namedApp(
  cases: UseCases,
  named: string,
  options: Parameters<typeof actingPerson>[1],
): Promise<{ accountId: string; appId: string } | AdminReply> {
  const person = await actingPerson(cases, options)
  if ('lines' in person) return person
  if (isUuid(named)) return { accountId: person.accountId, appId: named }
  const page = { page: 1, limit: MAX_PAGE_LIMIT, name: named }
  const found = (await cases.listWorkspaceApps(person.workspaceId, page)).data.filter(({ name }) => name === named)
  const [app, ...others] = found
  if (app === undefined) return failed('no app of this workspace has this id or name')
  return others.length > 0
    ? failed(`several apps have this name: ${found.map(({ id }) => id).join(', ')}`)
    : { accountId: person.accountId, appId: app.id }
}
