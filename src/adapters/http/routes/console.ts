import * as v from 'valibot'
import { isEmail } from '#domain/email.ts'
import { DomainError } from '#domain/errors.ts'
import { passwordFault } from '#domain/password-policy.ts'
import { defaultWorkspaceId } from '#domain/workspace.ts'
import { type Route, route } from '../route.ts'

const Done = v.object({ result: v.literal('success') })
const done = { result: 'success' as const }

export const Email = v.pipe(v.string(), v.trim(), v.check(isEmail, 'must be an email address'))
export const PersonName = v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(30))

const setupStatus = route({
  method: 'get',
  path: '/setup',
  summary: 'Whether the first account exists',
  access: { kind: 'public' },
  reply: v.object({ step: v.picklist(['not_started', 'finished']) }),
  errors: [],
  handle: async (_input, _anyone, cases) =>
    ({ step: (await cases.owner()) === null ? 'not_started' : 'finished' }) as const,
})

const setup = route({
  method: 'post',
  path: '/setup',
  summary: 'Create the first account and its workspace, once',
  access: { kind: 'same-origin' },
  status: 201,
  body: v.object({ email: Email, name: PersonName, password: v.pipe(v.string(), v.maxLength(1024)) }),
  reply: Done,
  errors: ['already_setup', 'not_init_validated', 'invalid_input', 'foreign_origin'],
  handle: async ({ body }, _anyone, cases, { setUpPass }) => {
    const fault = passwordFault(body.password)
    if (fault !== null) {
      throw new DomainError('invalid_input', { issues: [{ type: 'value_error', loc: ['password'], msg: fault }] })
    }
    await cases.setUp({ ...body, pass: setUpPass })
    return done
  },
})

const initStatus = route({
  method: 'get',
  path: '/init',
  summary: 'Whether a set-up password is still asked for',
  access: { kind: 'public' },
  reply: v.object({ status: v.picklist(['not_started', 'finished']) }),
  errors: [],
  handle: async (_input, _anyone, cases, { setUpPass }) =>
    ({ status: (await cases.setUpGuard.isLocked(setUpPass)) ? 'not_started' : 'finished' }) as const,
})

const init = route({
  method: 'post',
  path: '/init',
  summary: 'Show the set-up password, before the set-up',
  access: { kind: 'same-origin' },
  status: 201,
  body: v.object({ password: v.pipe(v.string(), v.maxLength(1024)) }),
  reply: Done,
  errors: ['already_setup', 'init_validate_failed', 'rate_limited', 'invalid_input', 'foreign_origin'],
  handle: async ({ body }, _anyone, cases, { ip, setPass }) => {
    setPass(await cases.setUpGuard.unlock({ password: body.password, ip }))
    return done
  },
})

const login = route({
  method: 'post',
  path: '/login',
  summary: 'Sign a browser in',
  access: { kind: 'same-origin' },
  body: v.object({
    email: v.pipe(v.string(), v.maxLength(320)),
    password: v.pipe(v.string(), v.minLength(1), v.maxLength(1024)),
  }),
  reply: Done,
  errors: ['authentication_failed', 'rate_limited', 'invalid_input', 'foreign_origin'],
  handle: async ({ body }, _anyone, cases, { ip, setSession }) => {
    setSession(await cases.consoleSessions.signIn({ email: body.email, password: body.password, ip }))
    return done
  },
})

const refresh = route({
  method: 'post',
  path: '/refresh-token',
  summary: 'Renew a browser’s session; a reused refresh token ends it',
  access: { kind: 'same-origin' },
  reply: Done,
  errors: ['unauthorized', 'foreign_origin'],
  handle: async (_input, _anyone, cases, { refreshToken, setSession }) => {
    setSession(await cases.consoleSessions.refresh(refreshToken))
    return done
  },
})

const logout = route({
  method: 'post',
  path: '/logout',
  summary: 'End this browser’s session everywhere',
  access: { kind: 'console', changes: true },
  reply: Done,
  errors: ['unauthorized', 'csrf_mismatch'],
  handle: async (_input, { session }, cases, { clearSession }) => {
    await cases.consoleSessions.signOut(session.family)
    clearSession()
    return done
  },
})

const profile = route({
  method: 'get',
  path: '/account/profile',
  summary: 'The signed-in person',
  access: { kind: 'console', changes: false },
  reply: v.object({ id: v.string(), name: v.string(), email: v.string() }),
  errors: ['unauthorized'],
  handle: (_input, { account }) => ({ id: account.id, name: account.name, email: account.email }),
})

const currentWorkspace = route({
  method: 'post',
  path: '/workspaces/current',
  summary: 'The workspace the signed-in person works in',
  access: { kind: 'console', changes: true },
  reply: v.object({ id: v.string(), name: v.string(), role: v.string(), status: v.string() }),
  errors: ['unauthorized', 'csrf_mismatch', 'workspace_not_found'],
  handle: async (_input, { account }, cases) => {
    const joined = await cases.listWorkspaces(account.id)
    const current = joined.find(({ workspaceId }) => workspaceId === defaultWorkspaceId(joined))
    if (current === undefined) throw new DomainError('workspace_not_found', {})
    return { id: current.workspaceId, name: current.name, role: current.role, status: current.status }
  },
})

const systemFeatures = route({
  method: 'get',
  path: '/system-features',
  summary: 'What this server offers, for its pages',
  access: { kind: 'public' },
  reply: v.object({
    license: v.object({ status: v.string() }),
    webapp_auth: v.object({
      enabled: v.boolean(),
      allow_sso: v.boolean(),
      sso_config: v.object({ protocol: v.string() }),
    }),
  }),
  errors: [],
  handle: async (_input, _anyone, cases) => {
    const { licenseStatus, webAppAuth, sso, protocol } = await cases.describeFeatures()
    return {
      license: { status: licenseStatus },
      webapp_auth: { enabled: webAppAuth, allow_sso: sso, sso_config: { protocol } },
    }
  },
})

/** What the browser's pages and provisioning scripts call, with cookies. */
export const consoleRoutes: readonly Route[] = [
  setupStatus,
  setup,
  initStatus,
  init,
  login,
  refresh,
  logout,
  profile,
  currentWorkspace,
  systemFeatures,
]
