import { stringify } from 'yaml'
import type { ExportChoices } from '#application/ports/dsl-files.ts'
import type { AppIcon } from '#application/ports/pending-imports.ts'
import type { JsonObject } from '#domain/app.ts'
import { isObject, objectAt, textAt } from '#domain/json.ts'
import { parseFile } from './parse-file.ts'
import { understand } from './read-dsl.ts'
import { MAX_BYTES } from './refuse.ts'

/**
 * An app's file as it was imported, in one way of writing it, with its present name and, unless they are asked for,
 * without the values of secret variables. Importing what comes out and exporting it again gives the same bytes.
 */
export function writeDsl(source: string, { name, description, includeSecret, icon = {} }: ExportChoices): string {
  const file = parseFile(source)
  const { version, mode } = understand(file)
  const app = { ...objectAt(file, 'app'), ...given(icon), name, description, mode }
  const whole: JsonObject = { version, kind: 'app', ...file, app }
  const kept = includeSecret || !isObject(whole.workflow) ? whole : { ...whole, workflow: blanked(whole.workflow) }
  const exported = { ...kept, version, kind: 'app' }
  const yaml = stringify(exported, { version: '1.2', lineWidth: 0, aliasDuplicateObjects: false })
  // One line a value takes more room than braces did: JSON, which is YAML too, keeps a large file importable.
  return Buffer.byteLength(yaml) <= MAX_BYTES ? yaml : `${JSON.stringify(exported)}\n`
}

/** Without what was not given: a mapping cannot hold it. */
function given(icon: AppIcon): JsonObject {
  return Object.fromEntries(Object.entries(icon).flatMap(([key, one]) => (one === undefined ? [] : [[key, one]])))
}

function blanked(workflow: JsonObject): JsonObject {
  const { environment_variables: variables } = workflow
  if (!Array.isArray(variables)) return workflow
  return {
    ...workflow,
    environment_variables: variables.map((one) =>
      isObject(one) && textAt(one, 'value_type') === 'secret' ? { ...one, value: '' } : one,
    ),
  }
}
