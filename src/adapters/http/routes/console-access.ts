import * as v from 'valibot'
import { ACCESS_MODES, type AccessGrant, formatGrant, parseGrant } from '#domain/app-access.ts'
import { DomainError } from '#domain/errors.ts'
import { type Route, route } from '../route.ts'
import { uuid } from '../schemas.ts'

const MAX_GRANTS = 500
const Grant = v.pipe(
  v.string(),
  v.check((text) => parseGrant(text) !== null, 'must be an email, @domain or group:NAME'),
)
const Grants = v.optional(v.pipe(v.array(Grant), v.maxLength(MAX_GRANTS)), [])

const errors = ['unauthorized', 'app_not_found', 'role_required'] as const

const setMode = route({
  method: 'post',
  path: '/enterprise/webapp/app/access-mode',
  summary: 'Whom an app admits on Enterprise',
  access: { kind: 'console', changes: true },
  body: v.object({ appId: uuid, accessMode: v.picklist(ACCESS_MODES) }),
  reply: v.object({ result: v.literal('success') }),
  errors: [...errors, 'csrf_mismatch', 'invalid_input'],
  handle: async ({ body }, { account }, cases) => {
    await cases.appAccess.changeAs(account.id, body.appId, { mode: body.accessMode })
    return { result: 'success' as const }
  },
})

const View = v.object({
  access_mode: v.nullable(v.string()),
  grants: v.pipe(v.array(v.string()), v.description('Emails, @domains and group:NAMEs; they count in mode private.')),
})

const showAccess = route({
  method: 'get',
  path: '/apps/:id/access',
  summary: 'Whom an app admits on Enterprise, and who was granted it',
  access: { kind: 'console', changes: false },
  missing: 'app_not_found',
  reply: View,
  errors,
  handle: async ({ params }, { account }, cases) => {
    const { mode, grants } = await cases.appAccess.changeAs(account.id, params.id ?? '', {})
    return { access_mode: mode, grants: grants.map(formatGrant) }
  },
})

const changeAccess = route({
  method: 'post',
  path: '/apps/:id/access',
  summary: 'Grant an app to people, mail domains and groups, or withdraw it; all of it or nothing',
  access: { kind: 'console', changes: true },
  missing: 'app_not_found',
  body: v.object({ access_mode: v.optional(v.picklist(ACCESS_MODES)), grant: Grants, withdraw: Grants }),
  reply: View,
  errors: [...errors, 'csrf_mismatch', 'invalid_input'],
  handle: async ({ params, body }, { account }, cases) => {
    const { mode, grants } = await cases.appAccess.changeAs(account.id, params.id ?? '', {
      mode: body.access_mode,
      grant: body.grant.map(readGrant),
      withdraw: body.withdraw.map(readGrant),
    })
    return { access_mode: mode, grants: grants.map(formatGrant) }
  },
})

function readGrant(text: string): AccessGrant {
  const grant = parseGrant(text)
  if (grant === null) throw new DomainError('internal_server_error', {})
  return grant
}

/** Who may use which app, for owners and admins. */
export const consoleAccessRoutes: readonly Route[] = [setMode, showAccess, changeAccess]
