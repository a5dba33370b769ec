import { expect } from 'chai'
import type { RunJob } from '#application/ports/app-runner.ts'
import type { JsonObject } from '#domain/app.ts'
import type { FormAnswer, HumanForm } from '#domain/human-form.ts'
import type { RunStep } from '#domain/run.ts'
import { aJob, aRunner, codeTable, type JobParts, outcomeOf } from './support.ts'
import { aCode, aNode, anAnswer, anEnd, aStart, aWorkflow, edges, inside } from './workflow.ts'

type Kept = {
  readonly state: JsonObject
  readonly forms: readonly { readonly form: HumanForm; readonly token: string }[]
}

const asking = (id: string, more: JsonObject = {}) =>
  aNode(id, 'human-input', {
    title: `Ask ${id}`,
    form_content: 'Dear {{#start.name#}}, {{#$output.words#}}',
    inputs: [
      { type: 'paragraph', output_variable_name: 'words', default: { type: 'variable', selector: ['start', 'name'] } },
    ],
    user_actions: [
      { id: 'yes', title: 'Yes', button_style: 'primary' },
      { id: 'no', title: 'No' },
    ],
    timeout: 2,
    timeout_unit: 'hour',
    ...more,
  })

const oneForm = aWorkflow(
  [aStart(), asking('ask'), anEnd('good', 'ask.words', 'ask.__rendered_content'), anEnd('bad', 'ask.__action_id')],
  edges('start>ask', 'ask:yes>good', 'ask:no>bad'),
)

/** Runs to a pause or an ending, in a runner of its own each time, as after a restart. */
async function part(workflow: JsonObject, more: JobParts & { resume?: RunJob['resume'] } = {}, code = codeTable({})) {
  const kept: Kept[] = []
  let tokens = 0
  const { resume, ...parts } = more
  const job: RunJob = {
    ...aJob('workflow', { workflow }, { inputs: { name: 'Ann' }, ...parts }),
    pausing: {
      newToken: () => `token-${++tokens}`,
      keep: async (state, forms) => void kept.push({ state, forms }),
    },
    ...(resume === undefined ? {} : { resume }),
  }
  const steps: RunStep[] = []
  for await (const step of aRunner({ code }).run(job, new AbortController().signal)) steps.push(step)
  return { steps, kept: kept[0] ?? null, last: steps.at(-1) }
}

const yes: FormAnswer = { actionId: 'yes', values: { words: 'hello' } }
const resuming = (kept: Kept | null, form = 0, answer = yes) => {
  if (kept === null) throw new Error('the run did not pause')
  // As a database gives it back.
  const state = JSON.parse(JSON.stringify(kept.state)) as JsonObject
  return { resume: { state, formId: kept.forms[form]?.form.formId ?? '', answer } }
}

describe('human input', () => {
  it('tells its form, keeps the run, and pauses', async () => {
    const { steps, kept, last } = await part(oneForm)
    expect(steps.map(({ kind }) => kind).slice(-3)).to.deep.equal(['node_started', 'human_input_required', 'paused'])
    const asked = steps.find((step) => step.kind === 'human_input_required')
    expect(asked?.kind === 'human_input_required' && asked.form).to.deep.include({
      node_id: 'ask',
      node_title: 'Ask ask',
      form_content: 'Dear Ann, {{#$output.words#}}',
      inputs: [{ type: 'paragraph', output_variable_name: 'words' }],
      actions: [
        { id: 'yes', title: 'Yes', button_style: 'primary' },
        { id: 'no', title: 'No', button_style: 'default' },
      ],
      form_token: 'token-1',
      resolved_default_values: { words: 'Ann' },
      expiration_time: 1_700_000_000 + 7200,
    })
    expect(last?.kind === 'paused' && last.reasons[0]).to.deep.include({ node_id: 'ask' })
    // The token is a secret between the server and whoever was asked.
    expect(JSON.stringify(kept?.state)).to.not.include('token-1')
  })

  it('goes on in another process by the action that was chosen', async () => {
    const { kept } = await part(oneForm)
    const { steps, last } = await part(oneForm, resuming(kept))
    expect(steps.map(({ kind }) => kind).slice(0, 3)).to.deep.equal([
      'run_started',
      'human_input_form_filled',
      'node_finished',
    ])
    expect(steps[0]).to.deep.include({ reason: 'resumption' })
    expect(last).to.deep.include({
      kind: 'succeeded',
      outputs: { words: 'hello', __rendered_content: 'Dear Ann, hello' },
    })
    const refused = await part(oneForm, resuming(kept, 0, { actionId: 'no', values: { words: '' } }))
    expect(refused.last).to.deep.include({ kind: 'succeeded', outputs: { __action_id: 'no' } })
  })

  it('pauses only when nothing else can go on, and again while another form waits', async () => {
    const workflow = aWorkflow(
      [
        aStart(),
        asking('one'),
        asking('two'),
        aCode('work', 'work'),
        anEnd('end', 'one.words', 'two.words', 'work.out'),
      ],
      edges('start>one', 'start>two', 'start>work', 'one:yes>end', 'two:yes>end', 'work>end'),
    )
    let worked = 0
    const code = codeTable({ work: async () => ({ out: String(++worked) }) })
    const first = await part(workflow, {}, code)
    expect(first.steps.some((step) => step.kind === 'node_finished' && step.nodeId === 'work')).to.equal(true)
    const second = await part(workflow, resuming(first.kept), code)
    expect(second.last?.kind).to.equal('paused')
    const state = second.kept?.state ?? {}
    const formId = first.kept?.forms[1]?.form.formId ?? ''
    const third = await part(workflow, { resume: { state, formId, answer: yes } }, code)
    expect(third.last).to.deep.include({ kind: 'succeeded', outputs: { words: 'hello', out: '1' } })
  })

  it('waits inside of an iteration, and keeps what its other rounds came to', async () => {
    const workflow = aWorkflow(
      [
        aStart(),
        aNode('each', 'iteration', {
          iterator_selector: ['start', 'list'],
          output_selector: ['say', 'out'],
          start_node_id: 'first',
        }),
        inside('each', aNode('first', 'iteration-start')),
        inside('each', asking('ask', { form_content: 'for {{#each.item#}}' })),
        inside('each', aCode('say', 'say', { variables: [{ variable: 'w', value_selector: ['ask', 'words'] }] })),
        anEnd('end', 'each.output'),
      ],
      edges('start>each', 'first>ask', 'ask:yes>say', 'each>end'),
    )
    const code = codeTable({ say: ({ w }) => ({ out: `said ${w}` }) })
    const inputs = { name: 'Ann', list: ['a', 'b'] }
    let turn = await part(workflow, { inputs }, code)
    for (const words of ['1', '2']) {
      const answer = { actionId: 'yes', values: { words } }
      turn = await part(workflow, { inputs, ...resuming(turn.kept, 0, answer) }, code)
    }
    expect(turn.last).to.deep.include({ kind: 'succeeded', outputs: { output: ['said 1', 'said 2'] } })
  })

  it('keeps what was told, and tells only the rest', async () => {
    const workflow = aWorkflow(
      [aStart(), anAnswer('before', 'wait. '), asking('ask'), anAnswer('after', 'got {{#ask.words#}}')],
      edges('start>before', 'before>ask', 'ask:yes>after'),
    )
    const first = await part(workflow)
    const job = { ...aJob('advanced-chat', { workflow }, { inputs: { name: 'Ann' } }), ...resuming(first.kept) }
    const { text, ending } = await outcomeOf(aRunner().run(job, new AbortController().signal))
    expect(text).to.equal('got hello')
    expect(ending.answer).to.equal('wait. got hello')
  })

  it('keeps no environment variables: they may be secrets, and are the app’s', async () => {
    const secret = { environment_variables: [{ name: 'key', value: 's3cret' }] }
    const workflow = aWorkflow(
      [aStart(), asking('ask'), anEnd('end', 'env.key')],
      edges('start>ask', 'ask:yes>end'),
      secret,
    )
    const { kept } = await part(workflow)
    expect(JSON.stringify(kept)).to.not.include('s3cret')
    expect((await part(workflow, resuming(kept))).last).to.deep.include({ outputs: { key: 's3cret' } })
  })

  it('is stopped like any other node, and fails where nobody can be asked', async () => {
    const stop = new AbortController()
    stop.abort('user')
    const stopped = await outcomeOf(aRunner().run(aJob('workflow', { workflow: oneForm }), stop.signal))
    expect(stopped.ending.kind).to.equal('stopped')
    const alone = await outcomeOf(aRunner().run(aJob('workflow', { workflow: oneForm }), new AbortController().signal))
    expect(alone.ending).to.deep.include({ kind: 'failed' })
  })
})
