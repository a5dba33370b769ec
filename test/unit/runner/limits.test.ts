import { expect } from 'chai'
import { declaredOutputs } from '#adapters/runner-native/code/declared-outputs.ts'
import { DEFAULT_LIMITS, type RunLimits } from '#adapters/runner-native/limits.ts'
import type { Json } from '#domain/app.ts'
import { loadConfig } from '#src/config.ts'
import { aJob, aNode, anEnd, aStart, aWorkflow, edges, run } from './support.ts'

/** A workflow of `start`, the given nodes in a row, and `end`. */
async function ended(limits: Partial<RunLimits>, nodes: readonly (readonly [string, object])[], inputs = {}) {
  const middle = nodes.map(([type, data], at) => aNode(`n${at}`, type, data as never))
  const names = ['start', ...middle.map((_, at) => `n${at}`), 'end']
  const chain = edges(...names.slice(1).map((name, at) => `${names[at]}>${name}`))
  const workflow = aWorkflow([aStart(), ...middle, anEnd('end', 'start.list')], chain)
  const job = aJob('workflow', { workflow }, { inputs })
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

  it('each is read from its variable, and is the usual one without', () => {
    expect(loadConfig({}).config.limits).to.deep.equal(DEFAULT_LIMITS)
    const { limits } = loadConfig({ WORKFLOW_MAX_EXECUTION_STEPS: '7', LOOP_NODE_MAX_COUNT: '8' }).config
    expect(limits).to.deep.equal({ ...DEFAULT_LIMITS, steps: 7, loopRounds: 8 })
  })
})
