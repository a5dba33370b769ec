import { ACCESS_MODES, type AccessGrant, type AccessMode, isAccessMode, parseGrant } from '#domain/app-access.ts'
import { isEmail } from '#domain/email.ts'
import { UsageError } from './usage-error.ts'

/** Words of the `access` and `external` commands, as `parseArgs` takes them. */
export const ACCESS_OPTIONS = {
  mode: { type: 'string' },
  grant: { type: 'string', multiple: true },
  withdraw: { type: 'string', multiple: true },
  issuer: { type: 'string' },
  groups: { type: 'string' },
} as const

type Words = {
  readonly mode?: string | undefined
  readonly grant?: readonly string[] | undefined
  readonly withdraw?: readonly string[] | undefined
  readonly issuer?: string | undefined
  readonly groups?: string | undefined
}

/** @throws UsageError */
export function parseAccessChange({ mode, grant = [], withdraw = [] }: Words): {
  mode?: AccessMode | undefined
  grant: AccessGrant[]
  withdraw: AccessGrant[]
} {
  if (mode !== undefined && !isAccessMode(mode))
    throw new UsageError(`--mode must be one of ${ACCESS_MODES.join(', ')}`)
  return { mode, grant: grant.map(grantOf('--grant')), withdraw: withdraw.map(grantOf('--withdraw')) }
}

function grantOf(option: string): (text: string) => AccessGrant {
  return (text) => {
    const grant = parseGrant(text)
    if (grant === null) throw new UsageError(`${option} takes an email, @domain or group:NAME`)
    return grant
  }
}

const CHANGES = ['block', 'unblock', 'groups'] as const

/** @throws UsageError */
export function parseExternalChange(verb: string, email: string | undefined, { issuer, groups }: Words) {
  const change = CHANGES.find((one) => one === verb)
  if (change === undefined) throw new UsageError(`unknown command: external ${verb}`)
  if (email === undefined || !isEmail(email)) throw new UsageError(`external ${verb} takes an EMAIL`)
  if (change === 'groups' && (issuer === undefined || groups === undefined)) {
    throw new UsageError('external groups takes --issuer and --groups')
  }
  const named = (groups ?? '').split(',').map((one) => one.trim())
  return { change, email, issuer: issuer ?? null, groups: named.filter((one) => one !== '') }
}
