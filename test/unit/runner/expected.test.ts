import { expect } from 'chai'
import type { JsonObject } from '#domain/app.ts'
import { aJob, aSpyModel, codeTable, plainTemplates, run } from './support.ts'
import { aCode, aNode, anAnswer, anEnd, anLlm, aStart, aWorkflow, edges, inside } from './workflow.ts'

const FOR = '{% for one in [1] %}{{ one }}{% endfor %}'
const aTemplate = (id: string, template: string) => aNode(id, 'template-transform', { template, variables: [] })
const aJinjaPrompt = { prompt_template: [{ role: 'user', edition_type: 'jinja2', jinja2_text: FOR }] }

/** What was expected, and how much of it when the model was first asked. */
async function expectedBy(workflow: JsonObject) {
  const expected: string[] = []
  let early: readonly string[] = []
  const model = aSpyModel(() => {
    early = [...expected]
    return ['said']
  })
  await run(aJob('advanced-chat', { workflow }), {
    model,
    code: { ...codeTable({}), expectPython: (appId) => expected.push(`python of ${appId}`) },
    templates: { ...plainTemplates, expect: (template) => expected.push(template) },
  })
  return { expected, early }
}

describe('what takes long to start', () => {
  const late: readonly (readonly [what: string, node: JsonObject, expected: string])[] = [
    ['a template', aTemplate('late', FOR), FOR],
    ['a prompt of Jinja', anLlm('late', '', aJinjaPrompt), FOR],
    ['Python', aCode('late', 'def main(): pass', { code_language: 'python3' }), 'python of app'],
  ]
  for (const [what, node, expected] of late) {
    it(`is asked for when the run begins, before it comes to ${what}`, async () => {
      const nodes = [aStart(), anLlm('llm', 'q'), node, anEnd('end')]
      const { early } = await expectedBy(aWorkflow(nodes, edges('start>llm', 'llm>late', 'late>end')))
      expect(early).to.deep.equal([expected])
    })
  }

  it('is asked for within iterations as well', async () => {
    const late = inside('each', aTemplate('late', FOR))
    const first = inside('each', aNode('first', 'iteration-start'))
    const each = aNode('each', 'iteration', { start_node_id: 'first', iterator_selector: ['start', 'list'] })
    const nodes = [aStart(), anLlm('llm', 'q'), each, first, late, anAnswer('end', '')]
    const { early } = await expectedBy(aWorkflow(nodes, edges('start>llm', 'llm>each', 'each>end', 'first>late')))
    expect(early).to.deep.equal([FOR])
  })

  it('is asked for by no app that cannot come to it', async () => {
    const nodes = [aStart(), anLlm('llm', 'q'), aCode('js', 'x'), anEnd('end'), aTemplate('orphan', FOR)]
    const { expected } = await expectedBy(aWorkflow(nodes, edges('start>llm', 'llm>js', 'js>end')))
    expect(expected).to.deep.equal([])
  })
})
