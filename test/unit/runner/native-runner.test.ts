import { expect } from 'chai'
import sinon from 'sinon'
import type { ModelClient } from '#adapters/runner-native/models/model-client.ts'
import type { Json, JsonObject } from '#domain/app.ts'
import type { RunStep } from '#domain/run.ts'
import {
  aBrokenModel,
  aDefinition,
  aJob,
  anApp,
  aRunner,
  aSpyModel,
  aTimer,
  codeTable,
  outcomeOf,
  run,
} from './support.ts'
import { aBranch, aCode, aNode, anAnswer, anEnd, anLlm, aStart, aWorkflow, edges, inARow } from './workflow.ts'

const totals = { usage: { promptTokens: 2, completionTokens: 3, totalTokens: 5 } }
const sayIt = inARow(anLlm('llm', '{{#sys.query#}}'), anAnswer('answer', '> {{#llm.text#}}'))

/** Never answers, and ignores that nobody waits any more. */
const deaf: ModelClient = {
  canRun: () => true,
  async *stream() {
    await new Promise(() => {})
  },
}

describe('native runner: graphs', () => {
  it('H07 starts, runs node by node with the text between, and ends once', async () => {
    const { path, text, ending } = await run(aJob('advanced-chat', { workflow: sayIt }, { query: 'hello there you' }))
    expect(path).to.deep.equal([
      'run_started',
      'node_started:start',
      'node_finished:start',
      'node_started:llm',
      'node_finished:llm',
      'node_started:answer',
      'node_finished:answer',
      'succeeded',
    ])
    expect(text).to.equal('> hello there you')
    expect(ending).to.deep.include({ kind: 'succeeded', answer: text, outputs: { answer: text } })
  })

  it('H15 counts what every model call used', async () => {
    const workflow = aWorkflow(
      [aStart(), anLlm('one', 'x'), anLlm('two', 'y'), anEnd('end', 'one.text')],
      edges('start>one', 'start>two', 'one>end', 'two>end'),
    )
    const { ending } = await run(aJob('workflow', { workflow }), { model: aSpyModel(() => ['ok']) })
    expect(ending.usage).to.deep.equal({ promptTokens: 4, completionTokens: 6, totalTokens: 10 })
    expect(ending.totalSteps).to.equal(4)
  })

  it('gives a workflow the outputs of every end it reached, null for what is missing', async () => {
    const workflow = aWorkflow(
      [aStart(), anEnd('one', 'start.name', 'start.nothing'), anEnd('two', 'env.place')],
      edges('start>one', 'start>two'),
      { environment_variables: [{ name: 'place', value: 'here' }] },
    )
    const { ending } = await run(aJob('workflow', { workflow }, { inputs: { name: 'Ada' } }))
    expect(ending.outputs).to.deep.equal({ name: 'Ada', nothing: null, place: 'here' })
  })

  it('says what the run began with, without the conversation', async () => {
    const { steps } = await run(
      aJob('advanced-chat', { workflow: sayIt }, { inputs: { a: 1 }, query: 'q', dialogueCount: 2 }),
    )
    expect(steps[0]).to.deep.equal({
      kind: 'run_started',
      reason: 'initial',
      inputs: {
        a: 1,
        'sys.user_id': 'caller',
        'sys.app_id': 'app',
        'sys.workflow_id': 'workflow',
        'sys.workflow_run_id': 'run',
        'sys.files': [],
        'sys.timestamp': 1_700_000_000,
        'sys.query': 'q',
        'sys.dialogue_count': 3,
      },
    })
  })

  it('prefers the conversation over the default of its variables', async () => {
    const workflow = aWorkflow(
      [aStart(), anAnswer('answer', '{{#conversation.mood#}} {{#conversation.name#}}')],
      edges('start>answer'),
      {
        conversation_variables: [
          { name: 'mood', value: 'calm' },
          { name: 'name', value: 'nobody' },
        ],
      },
    )
    const { text } = await run(
      aJob('advanced-chat', { workflow }, { query: 'q', conversationVariables: { name: 'Ada' } }),
    )
    expect(text).to.equal('calm Ada')
  })

  it('runs parallel branches at the same time', async () => {
    // Each waits for the other: one after the other would never end.
    const [left, right] = [Promise.withResolvers<Json>(), Promise.withResolvers<Json>()]
    const code = codeTable({
      left: () => {
        left.resolve({ out: 'l' })
        return right.promise
      },
      right: () => {
        right.resolve({ out: 'r' })
        return left.promise
      },
    })
    const workflow = aWorkflow(
      [aStart(), aCode('a', 'left'), aCode('b', 'right'), anEnd('end', 'a.out')],
      edges('start>a', 'start>b', 'a>end', 'b>end'),
    )
    const { ending } = await run(aJob('workflow', { workflow }), { code })
    expect(ending).to.deep.include({ kind: 'succeeded', outputs: { out: 'r' } })
  })

  it('tells the answer of the chosen branch only', async () => {
    const workflow = aWorkflow(
      [
        aStart(),
        aBranch('if', 'x', 'is', '1'),
        anLlm('yes', 'YES'),
        anLlm('no', 'NO'),
        anAnswer('a', 'A {{#yes.text#}}{{#no.text#}}'),
        anAnswer('b', 'B {{#no.text#}}'),
      ],
      edges('start>if', 'if:yes>yes', 'if:false>no', 'yes>a', 'no>b'),
    )
    const one = await run(aJob('advanced-chat', { workflow }, { inputs: { x: '1' }, query: 'q' }))
    const other = await run(aJob('advanced-chat', { workflow }, { inputs: { x: '2' }, query: 'q' }))
    expect([one.text, other.text]).to.deep.equal(['A YES', 'B NO'])
  })

  it('goes on after a failure that the app provided for, and says so', async () => {
    const workflow = aWorkflow(
      [
        aStart(),
        aCode('a', 'broken', { error_strategy: 'fail-branch' }),
        anEnd('good', 'a.out'),
        anEnd('bad', 'a.error_message', 'a.error_type'),
      ],
      edges('start>a', 'a:success-branch>good', 'a:fail-branch>bad'),
    )
    const { ending, steps } = await run(aJob('workflow', { workflow }))
    expect(ending).to.deep.include({
      kind: 'partial',
      exceptionsCount: 1,
      outputs: { error_message: 'boom: broken', error_type: 'CodeExecutionError' },
    })
    expect(steps.find((step) => step.kind === 'node_finished' && step.nodeId === 'a')).to.deep.include({
      status: 'exception',
      error: 'boom: broken',
    })
  })

  it('tries again after the pause, and tells each try', async () => {
    const clock = aTimer()
    let tries = 0
    const code = codeTable({
      flaky: () => {
        tries += 1
        if (tries < 3) return { wrong: 1 }
        return { out: 'third time' }
      },
    })
    const data = { retry_config: { retry_enabled: true, max_retries: 3, retry_interval: 700 } }
    const workflow = inARow(aCode('a', 'flaky', data), anEnd('end', 'a.out'))
    const retries: RunStep[] = []
    let ending: RunStep | undefined
    for await (const step of aRunner({ code, timer: clock.timer }).run(
      aJob('workflow', { workflow }),
      new AbortController().signal,
    )) {
      ending = step
      if (step.kind !== 'node_retry') continue
      retries.push(step)
      clock.fire(700)
    }
    expect(
      retries.map((step) => (step.kind === 'node_retry' ? [step.retryIndex, step.executionId] : [])),
    ).to.deep.equal([
      [1, 'id-2'],
      [2, 'id-2'],
    ])
    expect(ending).to.deep.include({ kind: 'succeeded', outputs: { out: 'third time' } })
    expect(clock.waiting(), 'no timer is left behind').to.deep.equal([])
  })

  it('H13 ends a run whose model fails half-way with that failure, once, after the text so far', async () => {
    const { text, ending } = await run(aJob('advanced-chat', { workflow: sayIt }, { query: 'q' }), {
      model: aBrokenModel(2),
    })
    expect(text).to.equal('> part0 part1 ')
    expect(ending).to.deep.include({ kind: 'failed', answer: text })
    expect(ending.kind === 'failed' && ending.failure).to.deep.equal({
      code: 'rate_limit_error',
      message: 'The model is busy.',
      retryAfterMs: 2000,
    })
  })

  it('does not try a half-told answer again', async () => {
    const data = { retry_config: { retry_enabled: true, max_retries: 3, retry_interval: 1 } }
    const workflow = inARow(anLlm('llm', 'x', data), anAnswer('answer', '{{#llm.text#}}'))
    const { path } = await run(aJob('advanced-chat', { workflow }, { query: 'q' }), { model: aBrokenModel(1) })
    expect(path.filter((step) => step.startsWith('node_retry'))).to.deep.equal([])
  })

  it('H11 aborts the model and ends as stopped at once, even when the model does not listen', async () => {
    const stop = new AbortController()
    const steps: RunStep[] = []
    for await (const step of aRunner({ model: deaf }).run(
      aJob('advanced-chat', { workflow: sayIt }, { query: 'q' }),
      stop.signal,
    )) {
      steps.push(step)
      if (step.kind === 'node_started' && step.nodeId === 'llm') stop.abort('user')
    }
    expect(steps.slice(-2).map((step) => ('status' in step ? step.status : step.kind))).to.deep.equal([
      'stopped',
      'stopped',
    ])
    expect(steps.at(-1)).to.deep.include({ kind: 'stopped', reason: 'user', answer: '> ' })
  })

  it('H11 passes the abort on to the model', async () => {
    const stop = new AbortController()
    const aborted = Promise.withResolvers<void>()
    const model: ModelClient = {
      canRun: () => true,
      async *stream(_, signal) {
        signal.addEventListener('abort', () => aborted.resolve())
        yield { kind: 'text', delta: 'a' }
        await aborted.promise
      },
    }
    for await (const step of aRunner({ model }).run(
      aJob('advanced-chat', { workflow: sayIt }, { query: 'q' }),
      stop.signal,
    )) {
      if (step.kind === 'text' && step.delta === 'a') stop.abort()
    }
    await aborted.promise
  })

  it('stops what runs when its reader leaves', async () => {
    const aborted = Promise.withResolvers<void>()
    const model: ModelClient = {
      canRun: () => true,
      async *stream(_, signal) {
        signal.addEventListener('abort', () => aborted.resolve())
        for (;;) yield { kind: 'text', delta: 'a' }
      },
    }
    const clock = aTimer()
    for await (const step of aRunner({ model, timer: clock.timer }).run(
      aJob('advanced-chat', { workflow: sayIt }, { query: 'q' }),
      new AbortController().signal,
    )) {
      if (step.kind === 'text' && step.delta === 'a') break
    }
    await aborted.promise
    expect(clock.waiting()).to.deep.equal([])
  })

  it('H12 asks the model for no more than its reader takes', async () => {
    let said = 0
    const model: ModelClient = {
      canRun: () => true,
      async *stream() {
        for (; said < 100_000; said++) yield { kind: 'text', delta: 'a' }
      },
    }
    let taken = 0
    for await (const step of aRunner({ model }).run(
      aJob('advanced-chat', { workflow: sayIt }, { query: 'q' }),
      new AbortController().signal,
    )) {
      if (step.kind === 'text') taken += 1
      if (taken === 5) break
    }
    expect(said).to.be.below(10)
  })

  it('is cut when it takes too long', async () => {
    const clock = aTimer()
    const steps: RunStep[] = []
    for await (const step of aRunner({ model: deaf, timer: clock.timer }).run(
      aJob('workflow', { workflow: sayIt }),
      new AbortController().signal,
    )) {
      steps.push(step)
      if (step.kind === 'node_started' && step.nodeId === 'llm') clock.fire(1_200_000)
    }
    expect(steps.at(-1)).to.deep.include({
      kind: 'failed',
      failure: { code: 'invalid_param', message: 'the run took too long' },
    })
  })

  it('keeps the message of a fault of ours to itself, and hands it to the operator', async () => {
    const onFault = sinon.spy()
    const code = codeTable({
      bug: () => {
        throw new Error('password=hunter2')
      },
    })
    const workflow = inARow(aCode('a', 'bug'), anEnd('end'))
    const { steps, ending } = await run(aJob('workflow', { workflow }), { code, onFault })
    expect(JSON.stringify(steps)).not.to.include('hunter2')
    expect(ending.kind === 'failed' && ending.failure.code).to.equal('internal_server_error')
    expect(onFault.callCount).to.equal(1)
  })

  const hostile: Readonly<Record<string, JsonObject>> = {
    'a cycle': aWorkflow([aStart(), aCode('a', 'x'), anEnd('end')], edges('start>a', 'a>a', 'a>end')),
    'an unknown node': inARow(aNode('a', 'teleport')),
    'a node named like an object property': inARow(aNode('__proto__', 'constructor')),
    'no start': aWorkflow([anEnd('end')], []),
    'nothing at all': {},
    'data that is no object': {
      graph: { nodes: [{ id: 'start', data: 'x' }, 5, null], edges: [null, { source: {} }] },
    },
    'an if-else on a variable that does not exist': inARow(aBranch('if', 'ghost', 'is', '1')),
    'an unknown comparison': inARow(aBranch('if', 'x', 'resembles', '1')),
    'an empty prompt': inARow(aNode('llm', 'llm')),
    'code that fails': inARow(aNode('code', 'code', { outputs: 5 })),
  }
  for (const [name, workflow] of Object.entries(hostile)) {
    it(`ends ${name} with one clear failure`, async () => {
      const { ending, steps } = await run(aJob('workflow', { workflow }, { inputs: { x: 1 } }))
      expect(steps[0]?.kind).to.equal('run_started')
      expect(ending.kind).to.equal('failed')
      expect(ending.kind === 'failed' && ending.failure.message).to.match(/\w{3}/)
    })
  }

  it('runs a node called like a property of every object as any other', async () => {
    const workflow = inARow(anLlm('constructor', 'hi'), anAnswer('__proto__', '{{#constructor.text#}}!'))
    expect((await run(aJob('advanced-chat', { workflow }, { query: 'q' }))).text).to.equal('hi!')
  })

  it('streams exactly the answer, whatever order parallel branches finish in', async () => {
    for (let seed = 0; seed < 40; seed++) {
      const order = [seed & 1, seed & 2, seed & 4, seed & 8].map(Boolean)
      const texts = order.map((streams, at) => (streams ? `{{#llm${at}.text#}}` : `{{#code${at}.out#}}`))
      const nodes = order.flatMap((_, at) => [
        anLlm(`llm${at}`, `Reply exactly: words of ${at} and more`),
        aCode(`code${at}`, `c${at}`),
      ])
      const wires = order.flatMap((_, at) => [
        `start>llm${at}`,
        `start>code${at}`,
        `llm${at}>answer`,
        `code${at}>answer`,
      ])
      const workflow = aWorkflow([aStart(), ...nodes, anAnswer('answer', texts.join(' | '))], edges(...wires))
      const code = codeTable(
        Object.fromEntries(
          order.map((_, at) => [
            `c${at}`,
            async () => {
              for (let turn = 0; turn < (seed * 7 + at * 13) % 11; turn++) await null
              return { out: `code ${at}` }
            },
          ]),
        ),
      )
      const { text, ending } = await run(aJob('advanced-chat', { workflow }, { query: 'q' }), { code })
      const expected = order.map((streams, at) => (streams ? `words of ${at} and more` : `code ${at}`)).join(' | ')
      expect(text).to.equal(expected)
      expect(ending).to.deep.include({ kind: 'succeeded', answer: expected })
    }
  })
})

describe('native runner: prompts', () => {
  const history = [{ query: 'first', answer: 'one' }]
  const config = (more: JsonObject = {}) => ({
    pre_prompt: 'Speak {{language}} to {{stranger}}.',
    model: { name: 'named-by-app', completion_params: { temperature: 0.5, enable_thinking: true } },
    ...more,
  })

  it('H14 sends prompt, history and question of a chat, and its parameters as they are', async () => {
    const model = aSpyModel(() => ['fine', ' thanks'])
    const job = aJob('chat', { modelConfig: config() }, { inputs: { language: 'German' }, query: 'second', history })
    const { text, ending } = await run(job, { model })
    expect(model.asked[0]?.messages.map(({ role, text }) => [role, text])).to.deep.equal([
      ['system', 'Speak German to {{stranger}}.'],
      ['user', 'first'],
      ['assistant', 'one'],
      ['user', 'second'],
    ])
    expect(model.asked[0]).to.deep.include({
      model: 'named-by-app',
      params: { temperature: 0.5, enable_thinking: true },
    })
    expect(text).to.equal('fine thanks')
    expect(ending).to.deep.include({ kind: 'succeeded', answer: text, ...totals })
  })

  it('never reads what a variable brings in as a variable again', async () => {
    const model = aSpyModel(() => ['ok'])
    const modelConfig = config({ pre_prompt: '{{a}} $& {{b}}' })
    await run(aJob('chat', { modelConfig }, { inputs: { a: '{{b}}', b: '$1' }, query: 'q' }), { model })
    expect(model.asked[0]?.messages[0]?.text).to.equal('{{b}} $& $1')
  })

  it('sends the prompt of a completion without a question as the user', async () => {
    const model = aSpyModel(() => ['ok'])
    await run(aJob('completion', { modelConfig: config() }, { inputs: { language: 'German' }, history }), { model })
    expect(model.asked[0]?.messages.map(({ role }) => role)).to.deep.equal(['user'])
  })

  it('H07 tells the thought of an agent around its text', async () => {
    const modelConfig = config({ agent_mode: { enabled: true, tools: [] } })
    const { steps } = await run(aJob('agent-chat', { modelConfig }, { query: 'hello' }))
    const thoughts = steps.filter((step) => step.kind === 'agent_thought')
    expect(steps.map(({ kind }) => kind)).to.deep.equal([
      'run_started',
      'agent_thought',
      'text',
      'agent_thought',
      'succeeded',
    ])
    expect(new Set(thoughts.map(({ thoughtId }) => thoughtId))).to.have.length(1)
    expect(thoughts.map(({ thought, position }) => [thought, position])).to.deep.equal([
      ['', 1],
      ['hello', 1],
    ])
  })

  it('H13 ends with the failure of the model', async () => {
    const { ending, text } = await run(aJob('chat', { modelConfig: config() }, { query: 'q' }), {
      model: aBrokenModel(1),
    })
    expect(text).to.equal('part0 ')
    expect(ending).to.deep.include({ kind: 'failed', answer: 'part0 ' })
  })

  it('H11 ends as stopped at once, even when the model does not listen', async () => {
    const stop = new AbortController()
    const steps = aRunner({ model: deaf }).run(aJob('chat', { modelConfig: config() }, { query: 'q' }), stop.signal)
    const ended = outcomeOf(steps)
    stop.abort('hang_up')
    expect((await ended).ending).to.deep.include({ kind: 'stopped', reason: 'hang_up' })
  })
})

describe('native runner: preflight', () => {
  const preflight = (workflow: JsonObject, parts = {}) =>
    aRunner(parts).preflight(anApp('workflow'), aDefinition({ workflow }))

  it('passes what can run', async () => {
    expect(await preflight(sayIt)).to.deep.equal({ ok: true })
  })

  it('names every reachable node that cannot run, with a reason and what to do', async () => {
    const workflow = aWorkflow(
      [
        aStart(),
        aNode('search', 'knowledge-retrieval', { dataset_ids: ['d1'] }),
        aCode('rb', '', { code_language: 'ruby' }),
        aNode('orphan', 'tool'),
      ],
      edges('start>search', 'search>rb'),
    )
    const verdict = await preflight(workflow, { model: null })
    expect(verdict.ok || verdict.reason !== 'nodes' ? [] : verdict.issues.map(({ node }) => node)).to.deep.equal([
      'search',
      'rb',
    ])
    expect(JSON.stringify(verdict)).to.include('"fix":"Rewrite the node in JavaScript or Python."')
  })

  it('asks for a model, naming the settings, only when something reachable needs one', async () => {
    const without = { model: null }
    const verdict = await preflight(sayIt, without)
    expect(verdict).to.deep.include({ ok: false, reason: 'model' })
    for (const name of ['MODEL_BASE_URL', 'MODEL_NAME', 'MODEL_API_KEY'])
      expect(JSON.stringify(verdict)).to.include(name)
    expect(
      await preflight(aWorkflow([aStart(), anEnd('end'), anLlm('orphan', 'x')], edges('start>end')), without),
    ).to.deep.equal({ ok: true })
    const chat = await aRunner(without).preflight(anApp('chat'), aDefinition({ modelConfig: {} }))
    expect(chat).to.deep.include({ reason: 'model' })
  })

  it('refuses agents with tools that are switched on, and runs those without', async () => {
    const agent = (tools: readonly Json[], enabled = true) =>
      aRunner().preflight(anApp('agent-chat'), aDefinition({ modelConfig: { agent_mode: { enabled, tools } } }))
    expect(await agent([])).to.deep.equal({ ok: true })
    expect(await agent([{ tool_name: 'time', enabled: false }])).to.deep.equal({ ok: true })
    expect(await agent([{ tool_name: 'time', enabled: true }], false)).to.deep.equal({ ok: true })
    expect(await agent([{ tool_name: 'time', enabled: true }])).to.deep.include({ reason: 'nodes' })
    expect(await agent([{ google_search: { enabled: true } }])).to.deep.include({ reason: 'nodes' })
  })

  it('refuses a definition without a start', async () => {
    expect(await preflight({})).to.deep.include({ ok: false, reason: 'nodes' })
  })
})
