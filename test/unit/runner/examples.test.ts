import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { createSandbox, type Sandbox } from '#adapters/runner-native/code/sandbox.ts'
import { readDsl } from '#adapters/runner-native/dsl/read-dsl.ts'
import { checkInputs, formOf } from '#domain/input-form.ts'
import { aDefinition, aJob, anApp, aRunner, run } from './support.ts'

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
})
