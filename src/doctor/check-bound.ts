import { createSecretBox } from '#adapters/crypto/secret-box.ts'
import type { Orm } from '#adapters/postgres/open-orm.ts'
import { openStores } from '#adapters/postgres/opening.ts'
import type { StoredBinding } from '#application/ports/bindings.ts'
import type { SigningKey } from '../config-reader.ts'
import { checkModel } from './check-models.ts'
import { type Finding, fail, ok } from './finding.ts'

/** Asked at once; an installation can have bound hundreds. */
const AT_ONCE = 8

/** Every model that a workspace bound, with the key it keeps here. `send` is the way that runs take. */
export async function checkBound(
  orm: Orm,
  keys: readonly SigningKey[],
  send: typeof fetch,
): Promise<readonly Finding[]> {
  const { bindings } = openStores(orm)
  const workspaces = await orm.em
    .fork()
    .execute<{ tenant_id: string }[]>('select distinct tenant_id from app_bindings order by tenant_id')
  const stored = (await Promise.all(workspaces.map((row) => bindings.list(row.tenant_id)))).flat()
  const models = stored.filter((one) => one.target.via === 'endpoint')
  const box = createSecretBox(keys)
  const found: Finding[] = []
  for (let at = 0; at < models.length; at += AT_ONCE) {
    found.push(...(await Promise.all(models.slice(at, at + AT_ONCE).map((one) => checkOne(one, box.open, send)))))
  }
  return found.length === 0 ? [ok('bindings', 'no workspace bound a model')] : found
}

async function checkOne(
  { workspaceId, subject, target, sealedKey }: StoredBinding,
  open: (sealed: string) => string | null,
  send: typeof fetch,
): Promise<Finding> {
  const called = `${subject.provider}${subject.name === '' ? '' : ` ${subject.name}`} (workspace ${workspaceId})`
  const setBy = `latchkey binding set model ${subject.provider}`
  if (target.via !== 'endpoint') return ok(`model ${called}`, 'is no endpoint')
  const key = sealedKey === null ? null : open(sealedKey)
  if (sealedKey !== null && key === null) {
    return fail(
      `model ${called}`,
      'its key was sealed by a SECRET_KEY that is gone',
      `enter it anew: ${setBy} --key-stdin`,
    )
  }
  const model = target.model ?? (subject.name || null)
  const by = { address: setBy, key: setBy, model: setBy }
  return checkModel({ called, url: target.url, key, model, setBy: by, send })
}
