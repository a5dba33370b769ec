import type { AppDefinition, Json, JsonObject } from './app.ts'
import { extensionsIn } from './app-files.ts'
import { type AppMode, familyOf, isGraphMode } from './app-mode.ts'
import type { InputIssue } from './errors.ts'
import type { OwnFiles } from './given-file.ts'
import { checkControl } from './input-value.ts'
import { isObject, listAt, numberAt, objectAt, objectsAt, textAt, textsAt } from './json.ts'

const CONTROLS = [
  'text-input',
  'paragraph',
  'select',
  'number',
  'checkbox',
  'json_object',
  'file',
  'file-list',
] as const
/** The kinds of field that callers can fill in. */
export type ControlType = (typeof CONTROLS)[number]

/** One field that a caller fills in before a run. */
export type FormControl = {
  readonly control: ControlType
  readonly variable: string
  /** The variable's name when the author gave no label. */
  readonly label: string
  readonly required: boolean
  /** Characters, or files of a list; null when unlimited. */
  readonly maxLength: number | null
  readonly options: readonly string[]
  readonly default: Json
  /** Kinds of file a file control takes; empty means any. */
  readonly fileTypes: readonly string[]
  /** For files of no other kind; lower case, without dots. Empty means any. */
  readonly fileExtensions: readonly string[]
  /** How files may come; empty means any way. */
  readonly fileMethods: readonly string[]
}

/** What a run gets, or everything that was wrong. */
export type CheckedInputs =
  | { readonly ok: true; readonly inputs: JsonObject }
  | { readonly ok: false; readonly issues: readonly InputIssue[] }

/** The app's form in its order, without controls that callers cannot fill in. Null when there is no usable definition. */
export function formOf(mode: AppMode, definition: AppDefinition | null): readonly FormControl[] | null {
  const rows = formRows(mode, definition)
  if (rows === null) return null
  const form = new Map<string, FormControl>()
  for (const row of rows) {
    const control = controlOf(row)
    if (control !== null && !form.has(control.variable)) form.set(control.variable, control)
  }
  return [...form.values()]
}

/**
 * The form as `/parameters` shows it: rows `{<control>: {...}}`, in which the variables of a graph's start node are
 * written too. Null when there is no usable definition.
 */
export function formRows(mode: AppMode, definition: AppDefinition | null): readonly Json[] | null {
  if (definition === null || familyOf(mode) === null) return null
  if (!isGraphMode(mode)) {
    return definition.modelConfig === null ? null : listAt(definition.modelConfig, 'user_input_form')
  }
  if (definition.workflow === null) return null
  const start = objectsAt(objectAt(definition.workflow, 'graph'), 'nodes')
    .map((node) => objectAt(node, 'data'))
    .find((data) => textAt(data, 'type') === 'start')
  if (start === undefined) return null
  return objectsAt(start, 'variables').map((variable) => ({ [textAt(variable, 'type') || 'text-input']: variable }))
}

/**
 * Checks what a caller sent against the form: undeclared keys are dropped, absent optional ones get their default or
 * null, and "" counts as absent. `own` are the uploads that it may name.
 */
export function checkInputs(
  form: readonly FormControl[],
  inputs: JsonObject,
  own: OwnFiles = new Map(),
): CheckedInputs {
  const issues: InputIssue[] = []
  const kept: [string, Json][] = []
  for (const control of form) {
    const checked = checkControl(
      control,
      Object.hasOwn(inputs, control.variable) ? inputs[control.variable] : null,
      own,
    )
    if ('issue' in checked) issues.push(checked.issue)
    else kept.push([control.variable, checked.value])
  }
  // fromEntries defines keys, so a variable named __proto__ is data like any other.
  return issues.length > 0 ? { ok: false, issues } : { ok: true, inputs: Object.fromEntries(kept) }
}

function controlOf(row: Json): FormControl | null {
  if (!isObject(row)) return null
  const [entry, ...others] = Object.entries(row)
  if (entry === undefined || others.length > 0) return null
  const [name, settings] = entry
  const control = CONTROLS.find((known) => known === name)
  if (control === undefined || !isObject(settings)) return null
  const variable = textAt(settings, 'variable')
  if (variable === '') return null
  const maxLength = numberAt(settings, 'max_length')
  return {
    control,
    variable,
    label: textAt(settings, 'label') || variable,
    required: settings.required === true,
    maxLength: maxLength !== null && maxLength > 0 ? Math.floor(maxLength) : null,
    options: [...new Set(textsAt(settings, 'options'))],
    default: settings.default ?? null,
    fileTypes: textsAt(settings, 'allowed_file_types'),
    fileExtensions: extensionsIn(settings),
    fileMethods: textsAt(settings, 'allowed_file_upload_methods'),
  }
}
