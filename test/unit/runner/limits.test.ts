import { expect } from 'chai'
import { declaredOutputs } from '#adapters/runner-native/code/declared-outputs.ts'
import { DEFAULT_LIMITS, type RunLimits } from '#adapters/runner-native/limits.ts'
import type { Json, JsonObject } from '#domain/app.ts'
import { loadConfig } from '#src/config.ts'
import { aJob, aSpyModel, codeTable, run } from './support.ts'
import { aCode, aNode, anAnswer, anEnd, anLlm, aStart, aWorkflow, edges, inARow, inside } from './workflow.ts'

/** A workflow of `start`, the given nodes in a row, and `end`. */
async function ended(limits: Partial<RunLimits>, nodes: readonly (readonly [string, object])[], inputs = {}) {
  const middle = nodes.map(([type, data], at) => aNode(`n${at}`, type, data as never))
  const job = aJob('workflow', { workflow: inARow(...middle, anEnd('end', 'start.list')) }, { inputs })
  const { ending } = await run(job, { limits: { ...DEFAULT_LIMITS, ...limits } })
  return ending.kind === 'failed' ? ending.failure.message : ending.kind
}

const template = ['template-transform', { template: 'x', variables: [] }] as const

describe('limits of runs', () => {
  it('the number of executions is the operator’s', async () => {
    const four = [template, template, template, template]
    expect(await ended({ steps: 6 }, four)).to.equal('succeeded')
    expect(await ended({ steps: 5 }, four)).to.equal('the run took more than 5 steps')
  })

  it('so is what code may return', () => {
    const returned = (limits: Partial<RunLimits>, value: Json) => {
      const said = declaredOutputs(
        { outputs: { out: { type: 'any' } } },
        { out: value },
        { ...DEFAULT_LIMITS, ...limits },
      )
      return said.ok ? 'fits' : said.error
    }
    expect(returned({ codeItems: 3 }, [1, 2, 3])).to.equal('fits')
    expect(returned({ codeItems: 2 }, [1, 2, 3])).to.contain('more than 2 items')
    expect(returned({ codeChars: 3 }, 'abcd')).to.contain('longer than 3 characters')
    expect(returned({ codeDepth: 2 }, [[1]])).to.contain('deeper than 2 levels')
  })

  describe('what a run holds is bounded, so that no app takes the memory of everybody else', () => {
    const limits = { ...DEFAULT_LIMITS, runChars: 10_000, answerChars: 5_000 }
    const long = 'x'.repeat(1_000)
    const code = codeTable({ same: ({ x = null }) => ({ out: x }), long: () => ({ out: long }) })
    const failureOf = async (mode: 'workflow' | 'advanced-chat', workflow: JsonObject, inputs: JsonObject = {}) => {
      const { ending, text } = await run(aJob(mode, { workflow }, { inputs, query: long }), { limits, code })
      return { text, failure: ending.kind === 'failed' ? ending.failure.message : ending.kind }
    }

    it('a template that names a long variable many times is not filled in', async () => {
      const asked = (times: number) => failureOf('advanced-chat', inARow(anLlm('llm', '{{#sys.query#}}'.repeat(times))))
      expect((await asked(11)).failure).to.equal('the node takes in more than 10000 characters')
      expect((await asked(4)).failure).to.equal('succeeded')
    })

    it('nor a prompt that holds what was found many times, nor one of an app without a graph', async () => {
      const context = { enabled: true, variable_selector: ['sys', 'query'] }
      const { failure } = await failureOf(
        'advanced-chat',
        inARow(anLlm('llm', '{{#context#}}'.repeat(11), { context })),
      )
      expect(failure).to.equal('the node takes in more than 10000 characters')
      for (const pre_prompt of ['{{query}}', '{{#query#}}', '{{long}}']) {
        const modelConfig = { model: { name: 'm' }, pre_prompt: pre_prompt.repeat(11) }
        const { ending } = await run(aJob('chat', { modelConfig }, { inputs: { long }, query: long }), { limits })
        expect(ending).to.deep.include({
          kind: 'failed',
          failure: { code: 'invalid_param', message: 'The prompt takes in more than 10000 characters.' },
        })
      }
    })

    it('a list of pictures is not read without end', async () => {
      const files = Array.from({ length: 21 }, () => ({
        type: 'image',
        transfer_method: 'remote_url',
        related_id: null,
        url: 'https://a.test',
      }))
      const vision = { enabled: true, configs: { variable_selector: ['start', 'files'] } }
      const { failure } = await failureOf('workflow', inARow(anLlm('llm', 'x', { vision })), { files })
      expect(failure).to.equal('more than 20 pictures')
    })

    it('the rounds of an agent are one answer', async () => {
      const model = aSpyModel(() => Array.from({ length: 6 }, () => long))
      const modelConfig = { model: { name: 'm' }, agent_mode: { enabled: true, strategy: 'function_call', tools: [] } }
      const { ending } = await run(aJob('agent-chat', { modelConfig }, { query: 'q' }), { limits, model })
      expect(ending.kind === 'failed' && ending.failure.message).to.equal('The answer is longer than 5000 characters.')
      expect(ending.answer).to.equal(long.repeat(5))
      const node = aNode('agent', 'agent', {
        agent_parameters: { model: { value: { model: 'm' } }, query: { value: 'q' } },
      })
      const within = await run(aJob('workflow', { workflow: inARow(node) }), { limits, model })
      expect(within.ending.kind === 'failed' && within.ending.failure.message).to.contain('said more than 5000')
    })

    it('nor are the inputs of code that are one variable under many names', async () => {
      const variables = Array.from({ length: 11 }, (_, at) => ({
        variable: `x${at}`,
        value_selector: ['sys', 'query'],
      }))
      const { failure } = await failureOf(
        'advanced-chat',
        inARow(aCode('code', 'long', { variables }), anAnswer('say', '')),
      )
      expect(failure).to.equal('the node takes in more than 10000 characters')
    })

    it('a chat’s answer ends where it is too long, and as failed', async () => {
      const { text, failure } = await failureOf('advanced-chat', inARow(anAnswer('say', '{{#sys.query#}}'.repeat(6))))
      expect(failure).to.equal('the answer is longer than 5000 characters')
      expect(text).to.equal(long.repeat(5))
    })

    it('values that hold each other many times over count as what they would be when written down', async () => {
      const groups = (from: string) => ({
        advanced_settings: {
          group_enabled: true,
          groups: ['a', 'b', 'c', 'd'].map((group_name) => ({
            group_name,
            variables: [
              [from, 'out'],
              [from, 'a'],
            ],
          })),
        },
      })
      const laughs = Array.from({ length: 8 }, (_, at) =>
        aNode(`n${at}`, 'variable-aggregator', groups(at === 0 ? 'code' : `n${at - 1}`)),
      )
      const { failure } = await failureOf('workflow', inARow(aCode('code', 'long'), ...laughs, anEnd('end', 'n7.a')))
      expect(failure).to.equal('the run would hold more than 10000 characters')
    })

    it('the rounds of an iteration count together, while those that are over let go of the rest', async () => {
      const each = (from: string) =>
        aWorkflow(
          [
            aStart(),
            aNode('each', 'iteration', {
              iterator_selector: ['start', 'list'],
              output_selector: [from, 'out'],
              start_node_id: 'go',
            }),
            inside('each', aNode('go', 'iteration-start')),
            inside('each', aCode('long', 'long')),
            inside(
              'each',
              aCode('short', 'same', { variables: [{ variable: 'x', value_selector: ['each', 'item'] }] }),
            ),
            anEnd('end', 'each.output'),
          ],
          edges('start>each', 'go>long', 'long>short', 'each>end'),
        )
      const list = Array.from({ length: 20 }, () => 'x')
      expect((await failureOf('workflow', each('short'), { list })).failure).to.equal('succeeded')
      expect((await failureOf('workflow', each('long'), { list })).failure).to.match(/would hold more than 10000/)
    })
  })

  it('each is read from its variable, and is the usual one without', () => {
    expect(loadConfig({}).config.limits).to.deep.equal(DEFAULT_LIMITS)
    const { limits } = loadConfig({ WORKFLOW_MAX_EXECUTION_STEPS: '7', LOOP_NODE_MAX_COUNT: '8' }).config
    expect(limits).to.deep.equal({ ...DEFAULT_LIMITS, steps: 7, loopRounds: 8 })
  })
})
