import type { AppDefinition, Json, JsonObject } from './app.ts'
import { type AppMode, familyOf } from './app-mode.ts'
import { type FormControl, formOf } from './input-form.ts'

const $schema = 'https://json-schema.org/draft/2020-12/schema'

const FILE: JsonObject = {
  type: 'object',
  properties: {
    type: { type: 'string' },
    transfer_method: { type: 'string' },
    url: { type: 'string' },
    upload_file_id: { type: 'string' },
  },
  additionalProperties: true,
}

/** The JSON Schema (2020-12) of a body that runs the app; one without properties when it has no usable definition. */
export function inputSchemaOf(mode: AppMode, definition: AppDefinition | null): JsonObject {
  const form = formOf(mode, definition)
  if (form === null) return { $schema, type: 'object', properties: {}, required: [] }
  const inputs = inputsSchema(form)
  if (familyOf(mode) !== 'chat') return { $schema, type: 'object', properties: { inputs }, required: ['inputs'] }
  const properties = { query: { type: 'string', minLength: 1 }, inputs }
  return { $schema, type: 'object', properties, required: ['query', 'inputs'] }
}

function inputsSchema(form: readonly FormControl[]): JsonObject {
  return {
    type: 'object',
    properties: Object.fromEntries(
      form.map((control): [string, Json] => [control.variable, { title: control.label, ...controlSchema(control) }]),
    ),
    required: form.filter(({ required }) => required).map(({ variable }) => variable),
    additionalProperties: false,
  }
}

function controlSchema({ control, maxLength, options }: FormControl): JsonObject {
  switch (control) {
    case 'text-input':
    case 'paragraph':
      return maxLength === null ? { type: 'string' } : { type: 'string', maxLength }
    case 'select':
      // An empty `enum` is no valid schema.
      return options.length === 0 ? { type: 'string' } : { type: 'string', enum: options }
    case 'number':
      return { type: 'number' }
    case 'checkbox':
      return { type: 'boolean' }
    case 'json_object':
      return { type: 'object' }
    case 'file':
      return FILE
    case 'file-list':
      return { type: 'array', items: FILE }
  }
}
