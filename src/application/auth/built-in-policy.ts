import { grantsOf } from '#domain/app-access.ts'
import type { Subject } from '#domain/subject.ts'
import type { AccessPolicy, AppAccessStore } from '../ports/app-access.ts'
import type { ExternalDirectory } from '../ports/external-directory.ts'

type Needs = { appAccess: AppAccessStore; externals: ExternalDirectory }

/** Access without a service beside us: modes and grants from our own table, groups from the latest sign-on. */
export function makeBuiltInPolicy({ appAccess, externals }: Needs): AccessPolicy {
  // An account's email was typed by whoever made it; only the provider vouches for groups.
  const held = async (subject: Subject) =>
    grantsOf(subject.email, subject.type === 'account' ? [] : await externals.groups(subject.issuer, subject.email))
  return {
    enabled: async () => true,
    modeOf: async ({ accessMode }) => accessMode,
    permits: async (subject, { id }) => appAccess.holdsAny(id, await held(subject)),
    permittedApps: async (subject, query) => appAccess.open(await held(subject), query),
  }
}
