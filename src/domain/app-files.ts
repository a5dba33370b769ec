import type { AppDefinition, Json, JsonObject } from './app.ts'
import { type AppMode, isGraphMode } from './app-mode.ts'
import type { InputIssue } from './errors.ts'
import { checkGivenFile, type FileRule, type OwnFiles } from './given-file.ts'
import { isObject, numberAt, objectAt, textsAt } from './json.ts'
import type { FileRef } from './run.ts'

/** The files that a run may be given beside its inputs; null for an app that takes none. */
export type AppFileRule = FileRule & { readonly maxFiles: number }

const ANY: FileRule = { kinds: [], extensions: [], methods: [] }

/**
 * What the app's author allows, within what the operator does. Older files only speak of pictures; an app that says
 * nothing at all takes what comes.
 */
export function appFileRule(mode: AppMode, definition: AppDefinition, perRun: number): AppFileRule | null {
  const features = (isGraphMode(mode) ? objectAt(definition.workflow ?? {}, 'features') : definition.modelConfig) ?? {}
  const feature = objectAt(features, 'file_upload')
  const image = objectAt(feature, 'image')
  const says = [feature.enabled, image.enabled].filter((one) => typeof one === 'boolean')
  if (says.length === 0) return { ...ANY, maxFiles: perRun }
  if (!says.includes(true)) return null
  const kinds = textsAt(feature, 'allowed_file_types')
  const methods = textsAt(feature, 'allowed_file_upload_methods')
  const most = numberAt(feature, 'number_limits') ?? numberAt(image, 'number_limits') ?? perRun
  return {
    kinds: kinds.length > 0 ? kinds : image.enabled === true ? ['image'] : [],
    extensions: extensionsIn(feature),
    methods: methods.length > 0 ? methods : textsAt(image, 'transfer_methods'),
    maxFiles: Math.min(most > 0 ? most : perRun, perRun),
  }
}

/** The extensions an author allows, however they wrote them. */
export function extensionsIn(settings: JsonObject): readonly string[] {
  return textsAt(settings, 'allowed_file_extensions').map((one) => one.replace(/^\./, '').toLowerCase())
}

/** The files that a run gets, or everything that was wrong with them. */
export function checkAppFiles(
  rule: AppFileRule | null,
  given: readonly Json[],
  own: OwnFiles,
): { readonly files: readonly FileRef[]; readonly issues: readonly InputIssue[] } {
  if (given.length === 0) return { files: [], issues: [] }
  if (rule === null) return { files: [], issues: [issue(['files'], 'files_off', 'this app takes no files')] }
  if (given.length > rule.maxFiles) {
    return { files: [], issues: [issue(['files'], 'too_long', `must have at most ${rule.maxFiles} files`)] }
  }
  const checked = given.map((one) => checkGivenFile(isObject(one) ? one : {}, rule, own))
  return {
    files: checked.flatMap((one) => ('file' in one ? [one.file] : [])),
    issues: checked.flatMap((one, at) =>
      'fault' in one ? [issue(['files', at, one.fault.field], one.fault.type, one.fault.msg)] : [],
    ),
  }
}

function issue(loc: readonly (string | number)[], type: string, msg: string): InputIssue {
  return { type, loc, msg }
}
