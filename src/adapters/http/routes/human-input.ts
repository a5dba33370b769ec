import * as v from 'valibot'
import type { JsonObject } from '#domain/app.ts'
import { wireForm } from '#domain/human-form.ts'
import { runExamples } from '../examples/runs.ts'
import { type Route, route } from '../route.ts'
import { appErrors } from './run.ts'

const Form = v.strictObject({
  form_id: v.string(),
  node_id: v.string(),
  node_title: v.string(),
  form_content: v.pipe(v.string(), v.description('Markdown; `{{#$output.name#}}` stands where a field is shown.')),
  inputs: v.array(v.strictObject({ type: v.string(), output_variable_name: v.string() })),
  actions: v.array(v.strictObject({ id: v.string(), title: v.string(), button_style: v.string() })),
  display_in_ui: v.boolean(),
  form_token: v.string(),
  resolved_default_values: v.record(v.string(), v.string()),
  expiration_time: v.pipe(v.number(), v.description('Epoch seconds.')),
})

const Answer = v.object({
  action: v.pipe(v.string(), v.maxLength(200), v.description('The id of one of the actions.')),
  inputs: v.optional(v.custom<JsonObject>(isObject, 'must be an object'), {}),
})

const PATH = '/apps/:id/form/human_input/:token'
const access = { kind: 'app', scope: 'apps:run' } as const

const show = route({
  method: 'get',
  path: PATH,
  summary: 'A form that a paused run waits for',
  access,
  missing: 'not_found',
  reply: Form,
  example: runExamples.showForm,
  errors: [...appErrors, 'not_found'],
  handle: async ({ params }, admitted, cases) => {
    const token = params.token ?? ''
    return v.parse(Form, wireForm(await cases.humanForms.show(admitted, token), token))
  },
})

const answer = route({
  method: 'post',
  path: PATH,
  summary: 'Answer a form, once; the run goes on',
  access,
  missing: 'not_found',
  body: Answer,
  example: runExamples.answerForm,
  reply: v.strictObject({ workflow_run_id: v.string(), task_id: v.string() }),
  errors: [...appErrors, 'not_found', 'invalid_input', 'invalid_json', 'unsupported_media_type', 'payload_too_large'],
  handle: async ({ body, params }, admitted, cases) => {
    const { action, inputs } = body
    const { runId, taskId } = await cases.humanForms.answer(admitted, { token: params.token ?? '', action, inputs })
    return { workflow_run_id: runId, task_id: taskId }
  },
})

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Forms of runs that wait for people. */
export const humanInputRoutes: readonly Route[] = [show, answer]
