import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { openTerminalWorld, type TerminalWorld } from '../support/terminal-world.ts'
import { aPlace, mintOwn, NO_BEARER_LIMIT, type Place } from './place.ts'

const READS = (type: string) => `version: "0.6.0"
kind: app
app: {name: Reads, description: "", mode: workflow}
workflow:
  graph:
    nodes:
    - id: start
      data: {type: start, title: Start, variables: [{variable: doc, type: ${type}, label: D, required: true}]}
    - id: doc
      data: {type: document-extractor, title: Doc, variable_selector: [start, doc]}
    - id: end
      data: {type: end, title: End, outputs: [{variable: text, value_selector: [doc, text]}, {variable: beside, value_selector: [sys, files]}]}
    edges:
    - {id: e1, source: start, target: doc, sourceHandle: source, targetHandle: target}
    - {id: e2, source: doc, target: end, sourceHandle: source, targetHandle: target}
`

describe('latchkey run --file', () => {
  let place: Place
  let terminal: TerminalWorld
  let folder: string
  let env: Record<string, string>
  before(async () => {
    place = await aPlace({ settings: NO_BEARER_LIMIT })
    terminal = await openTerminalWorld()
    folder = await mkdtemp(join(tmpdir(), 'latchkey-terminal-files-'))
    await writeFile(join(folder, 'a=b.md'), '# A')
    await writeFile(join(folder, 'run.exe'), 'MZ')
    env = { LATCHKEY_TOKEN: await mintOwn(place) }
  })
  after(async () => {
    await terminal.close()
    await place.close()
    await rm(folder, { recursive: true })
  })

  const run = (appId: string, ...words: readonly string[]) =>
    terminal.latchkeyAt(['run', appId, '--host', place.url, '--json', ...words], { env })

  it('uploads a file as an input, several as a list, and others beside the inputs', async () => {
    const path = join(folder, 'a=b.md')
    const one = await run(await place.addApp(READS('file')), '--file', `doc=${path}`, '--file', path)
    expect(one.code, one.stderr).to.equal(0)
    const { text, beside } = JSON.parse(one.stdout).data.outputs
    expect([text, beside[0].name, beside[0].type]).to.deep.equal(['# A', 'a=b.md', 'document'])
    const appId = await place.addApp(READS('file-list'))
    const list = await run(appId, '--file', `doc[]=${path}`, '--file', `doc[]=${path}`)
    expect(JSON.parse(list.stdout).data.outputs.text).to.deep.equal(['# A', '# A'])
    const alone = await run(appId, '--file', `doc[]=${path}`)
    expect(JSON.parse(alone.stdout).data.outputs.text).to.deep.equal(['# A'])
  })

  it('names the file that cannot be read, or that the server does not take', async () => {
    const appId = await place.addApp(READS('file'))
    const missing = await run(appId, '--file', `doc=${join(folder, 'none.md')}`)
    expect([missing.code, missing.stderr]).to.deep.equal([2, missing.stderr])
    expect(missing.stderr).to.contain('none.md: there is no such file')
    const folderItself = await run(appId, '--file', `doc=${folder}`)
    expect(folderItself.stderr).to.contain('is no file')
    const refused = await run(appId, '--file', `doc=${join(folder, 'run.exe')}`)
    expect(refused.code).to.equal(1)
    expect(refused.stderr).to.contain('unsupported_file_type')
  })
})
