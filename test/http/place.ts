import { createMemoryDatabase, type MemoryDatabase } from '#adapters/memory/database.ts'
import { openMemoryStores } from '#adapters/memory/stores.ts'
import { withAuditLines } from '#adapters/telemetry/audit-lines.ts'
import type { Ports } from '#application/ports.ts'
import { ACCOUNT_TOKEN, EXTERNAL_TOKEN, formatToken, type TokenKind } from '#domain/token-kind.ts'
import type { Role } from '#domain/workspace.ts'
import type { FakeClock } from '../support/clock.ts'
import { aWorld, OWNER, type World, type WorldOptions } from '../support/world.ts'
import { type Edit, memoryEdit, sqlEdit } from './edit.ts'

export const API = '/openapi/v1'

/** Settings for what is not about the limit on bearers. */
export const NO_BEARER_LIMIT = { bearer: { enabled: true, perMinute: 0 } }

/** A world whose tables can be edited. */
export type Place = World & { readonly edit: Edit }

/** Opens a world for tests over HTTP, with tables that tests can edit. */
export async function aPlace(options: WorldOptions = {}): Promise<Place> {
  const database = createMemoryDatabase()
  const change = async (base: Ports, clock: FakeClock): Promise<Ports> => {
    const ports = options.on === 'services' ? spyable(base) : onTables(base, database)
    return options.change?.(ports, clock) ?? ports
  }
  const world = await aWorld({ ...options, change })
  return {
    ...world,
    edit: world.services === null ? memoryEdit(database) : sqlEdit(world.services.orm.em),
  }
}

/** The same world over tables that the test holds too. */
function onTables(base: Ports, database: MemoryDatabase): Ports {
  const stores = openMemoryStores(database)
  return { ...base, ...stores, ...withAuditLines(stores, base.log) }
}

/** Stores as plain objects: sinon cannot wrap the methods of a proxy. */
function spyable(ports: Ports): Ports {
  const plain = <Store extends object>(store: Store): Store =>
    Object.fromEntries(Object.keys(store).map((name) => [name, Reflect.get(store, name)])) as Store // key by key
  const { tokens, accounts, memberships, apps, audit } = ports
  return {
    ...ports,
    tokens: plain(tokens),
    accounts: plain(accounts),
    memberships: plain(memberships),
    apps: plain(apps),
    audit: plain(audit),
  }
}

let drawn = 0

/** A well-formed token of `kind` that nobody was given. */
export function aToken(kind: TokenKind): string {
  drawn += 1
  const random = new Uint8Array(28)
  new DataView(random.buffer).setUint32(0, drawn)
  return formatToken(kind, random)
}

/** A bearer of a person whom only a company's identity provider knows. */
export async function mintExternal(
  place: Place,
  email = 'sam@partner.example',
  label = 'laptop',
  issuer = 'https://idp.partner.example',
): Promise<string> {
  const token = aToken(EXTERNAL_TOKEN)
  await place.ports.tokens.mint({
    id: place.ports.newId(),
    subject: { type: 'external_sso', email, issuer },
    clientId: 'difyctl',
    deviceLabel: label,
    prefix: EXTERNAL_TOKEN.prefix,
    tokenHash: place.ports.digest(token),
    createdAtMs: place.clock.now(),
    expiresAtMs: place.clock.now() + 86_400_000,
  })
  return token
}

/** A bearer of the owner that lives for `lifeMs`, without the detour over a browser. */
export async function mintOwn(place: World, how: { label?: string; lifeMs?: number } = {}): Promise<string> {
  const token = aToken(ACCOUNT_TOKEN)
  await place.ports.tokens.mint({
    id: place.ports.newId(),
    subject: { type: 'account', accountId: place.owner.accountId, email: OWNER.email },
    clientId: 'difyctl',
    deviceLabel: how.label ?? 'minted',
    prefix: ACCOUNT_TOKEN.prefix,
    tokenHash: place.ports.digest(token),
    createdAtMs: place.clock.now(),
    expiresAtMs: place.clock.now() + (how.lifeMs ?? 86_400_000),
  })
  return token
}

/** Another person of the owner's workspace, with a bearer. */
export async function aColleague(place: World, role: Role, email = `${role}@example.test`) {
  const { accountId } = await place.addMember(email, role)
  return { accountId, email, token: await mintFor(place, { accountId, email }) }
}

/** A bearer of any account. */
export async function mintFor(place: World, who: { accountId: string; email: string }): Promise<string> {
  const token = aToken(ACCOUNT_TOKEN)
  await place.ports.tokens.mint({
    id: place.ports.newId(),
    subject: { type: 'account', ...who },
    clientId: 'difyctl',
    deviceLabel: 'minted',
    prefix: ACCOUNT_TOKEN.prefix,
    tokenHash: place.ports.digest(token),
    createdAtMs: place.clock.now(),
    expiresAtMs: place.clock.now() + 86_400_000,
  })
  return token
}
