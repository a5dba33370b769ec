import type { JsonObject } from './app.ts'

/** One text that a person fills in. */
export type FormField = { readonly name: string; readonly type: string; readonly default: string }

/** One way to send a form; a graph goes on by its id. */
export type FormAction = { readonly id: string; readonly title: string; readonly buttonStyle: string }

/** What a run asks a person, with every variable filled in. */
export type HumanForm = {
  readonly formId: string
  readonly nodeId: string
  readonly nodeTitle: string
  /** Markdown; `{{#$output.name#}}` stands where a field is to be shown. */
  readonly content: string
  readonly fields: readonly FormField[]
  readonly actions: readonly FormAction[]
  readonly expiresAtMs: number
}

/** What a person sent. */
export type FormAnswer = { readonly actionId: string; readonly values: Readonly<Record<string, string>> }

const MAX_VALUE = 20_000

/** The answer as the graph takes it, or what is wrong with it, by field. A field that was left out has its default. */
export function readAnswer(
  form: HumanForm,
  sent: { readonly action: string; readonly inputs: JsonObject },
):
  | { readonly ok: true; readonly answer: FormAnswer }
  | { readonly ok: false; readonly faults: readonly [field: string, msg: string][] } {
  const faults: [string, string][] = []
  if (!form.actions.some(({ id }) => id === sent.action))
    faults.push(['action', 'must be the id of one of the actions'])
  const values = form.fields.map(({ name, default: preset }): [string, string] => {
    const value = Object.hasOwn(sent.inputs, name) ? sent.inputs[name] : preset
    if (typeof value !== 'string') faults.push([name, 'must be a string'])
    else if (value.length > MAX_VALUE) faults.push([name, `must be at most ${MAX_VALUE} characters`])
    return [name, typeof value === 'string' ? value : '']
  })
  if (faults.length > 0) return { ok: false, faults }
  return { ok: true, answer: { actionId: sent.action, values: Object.fromEntries(values) } }
}

/** The form with its answers in place, as later nodes may show it. */
export function renderedContent({ content }: HumanForm, { values }: FormAnswer): string {
  return content.replaceAll(/\{\{#\$output\.([^{}#.]{1,200})#\}\}/g, (whole, name: string) => {
    return Object.hasOwn(values, name) ? (values[name] ?? '') : whole
  })
}

/** The form as it is shown and told; `token` is what the person answers with. */
export function wireForm(form: HumanForm, token: string): JsonObject {
  const { formId, nodeId, nodeTitle, content, fields, actions, expiresAtMs } = form
  return {
    form_id: formId,
    node_id: nodeId,
    node_title: nodeTitle,
    form_content: content,
    inputs: fields.map(({ name, type }) => ({ type, output_variable_name: name })),
    actions: actions.map(({ id, title, buttonStyle }) => ({ id, title, button_style: buttonStyle })),
    display_in_ui: true,
    form_token: token,
    resolved_default_values: Object.fromEntries(fields.map(({ name, default: preset }) => [name, preset])),
    expiration_time: Math.floor(expiresAtMs / 1000),
  }
}
