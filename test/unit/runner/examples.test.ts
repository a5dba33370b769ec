import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { createSandbox, type Sandbox } from '#adapters/runner-native/code/sandbox.ts'
import { readDsl } from '#adapters/runner-native/dsl/read-dsl.ts'
import type { EgressRequest, HttpEgress } from '#adapters/runner-native/egress/http-egress.ts'
import type { Timer } from '#application/ports/clock.ts'
import type { JsonObject } from '#domain/app.ts'
import { checkInputs, formOf } from '#domain/input-form.ts'
import { aDefinition, aJob, anApp, aRunner, aSpyModel, run } from './support.ts'

function read(name: string) {
  const { mode, workflow, modelConfig } = readDsl(
    readFileSync(new URL(`../../../examples/${name}`, import.meta.url), 'utf8'),
  )
  return { mode, definition: aDefinition({ workflow, modelConfig }) }
}

describe('sample apps', function () {
  this.timeout(30_000)
  let sandbox: Sandbox
  before(() => {
    sandbox = createSandbox({
      timer: (delayMs, fire) => {
        const timer = setTimeout(fire, delayMs)
        return () => clearTimeout(timer)
      },
    })
  })
  after(() => sandbox.close())

  async function greet(inputs: Record<string, string>) {
    const { mode, definition } = read('greeting-workflow.yml')
    const checked = checkInputs(formOf(mode, definition) ?? [], inputs)
    if (!checked.ok) throw new Error(JSON.stringify(checked.issues))
    const services = { model: null, code: sandbox, templates: sandbox }
    expect(await aRunner(services).preflight(anApp(mode), definition)).to.deep.equal({ ok: true })
    return run(aJob(mode, definition, { inputs: checked.inputs }), services)
  }

  it('the greeting needs no model, and takes the branch of its tone', async () => {
    expect((await greet({ name: 'Ada', tone: 'formal' })).ending).to.deep.include({
      kind: 'succeeded',
      outputs: { text: 'Good day, Ada. — Latchkey', letters: 14 },
    })
    expect((await greet({ name: 'Ada' })).ending.outputs).to.deep.equal({ text: 'Hi Ada! — Latchkey', letters: 7 })
    expect((await greet({ name: 'Wolfeschlegelstein' })).ending.outputs).to.deep.include({
      text: 'Hi there! — Latchkey',
    })
  })

  it('the greeting refuses a run without a name', () => {
    const { mode, definition } = read('greeting-workflow.yml')
    expect(checkInputs(formOf(mode, definition) ?? [], { tone: 'formal' })).to.deep.include({ ok: false })
  })

  it('the assistant answers on the scripted model', async () => {
    const { mode, definition } = read('assistant-chat.yml')
    const job = aJob(mode, definition, { inputs: { language: 'English' }, query: 'Reply exactly: Hello from Latchkey' })
    const { text, ending } = await run(job)
    expect(text).to.equal('Hello from Latchkey')
    expect(ending).to.deep.include({ kind: 'succeeded', answer: text })
    expect(ending.usage.completionTokens).to.equal(3)
  })

  it('the shopping list remembers from turn to turn, without a model', async () => {
    const { mode, definition } = read('shopping-list-chat.yml')
    const services = { model: null, code: sandbox, templates: sandbox }
    let kept: JsonObject = {}
    const say = async (query: string) => {
      const saveVariables = async (variables: JsonObject) => {
        kept = { ...kept, ...variables }
      }
      return (await run(aJob(mode, definition, { query, conversationVariables: kept, saveVariables }), services)).text
    }
    expect(await say('milk')).to.equal('1. milk\n')
    expect(await say('bread')).to.equal('1. milk\n2. bread\n')
    expect(await say('clear')).to.equal('The list is empty.')
    expect(await say('tea')).to.equal('1. tea\n')
  })

  it('the renamer repeats for every line, and until it has digits enough', async () => {
    const { mode, definition } = read('rename-all-workflow.yml')
    const services = { model: null, code: sandbox, templates: sandbox }
    expect(await aRunner(services).preflight(anApp(mode), definition)).to.deep.equal({ ok: true })
    const renamed = async (count: number) => {
      const titles = Array.from({ length: count }, (_, at) => ` Old Title ${at} `).join('\n')
      return (await run(aJob(mode, definition, { inputs: { titles } }), services)).ending.outputs
    }
    expect(await renamed(2)).to.deep.equal({ names: ['1-old-title-0.md', '2-old-title-1.md'], digits: 1 })
    expect((await renamed(12)).digits).to.equal(2)
  })

  describe('the triage', () => {
    const { mode, definition } = read('triage-workflow.yml')
    const message = 'Order "77" is late!'
    async function triaged(category: string, status: number) {
      const model = aSpyModel(({ messages }) => {
        const [system] = messages
        if (system?.text.startsWith('Sort')) return [`{"category_id":"${category}"}`]
        return system?.text.startsWith('Extract') ? ['{"order":"77","urgent":true}'] : ['Yes.']
      })
      const asked: EgressRequest[] = []
      const egress: HttpEgress = {
        async request(request) {
          asked.push(request)
          return { status, headers: {}, body: new Uint8Array(), url: request.url }
        },
      }
      const timer: Timer = (delayMs, fire) => {
        if (delayMs === 500) setImmediate(fire)
        return () => {}
      }
      const { ending } = await run(aJob(mode, definition, { inputs: { message } }), { model, egress, timer })
      return { kind: ending.kind, outputs: ending.outputs, asked }
    }

    it('answers questions itself', async () => {
      expect(await triaged('question', 200)).to.deep.equal({ kind: 'succeeded', outputs: { reply: 'Yes.' }, asked: [] })
    })

    it('files complaints, in JSON that the message cannot break', async () => {
      const { outputs, asked } = await triaged('complaint', 201)
      expect(outputs).to.deep.equal({ order: '77', status: 201 })
      const body = new TextDecoder().decode(asked[0]?.body ?? new Uint8Array())
      expect(JSON.parse(body)).to.deep.equal({ order: '77', urgent: true, text: message })
    })

    it('goes on when the service is down, after two more tries', async () => {
      const { kind, outputs, asked } = await triaged('complaint', 503)
      expect(kind).to.equal('partial')
      expect(outputs).to.deep.equal({ order: '77', problem: 'the server answered with status 503' })
      expect(asked).to.have.length(3)
    })
  })
})
