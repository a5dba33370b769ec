import { expect } from 'chai'
import { readDsl } from '#adapters/runner-native/dsl/read-dsl.ts'
import { aJob, aRunner, outcomeOf } from './support.ts'

/** Runs a workflow file from its text to its outputs. */
async function outputsOf(file: string, inputs = {}): Promise<unknown> {
  const { mode, workflow, modelConfig } = readDsl(file)
  const job = aJob(mode, { workflow, modelConfig }, { inputs })
  const { ending } = await outcomeOf(aRunner().run(job, new AbortController().signal))
  return ending.kind === 'succeeded' ? ending.outputs : ending
}

const head = 'app: {name: A, mode: workflow}\nworkflow:\n  graph:\n'
const end = (selector: string) => `{type: end, title: End, outputs: [{variable: out, value_selector: ${selector}}]}`
const start = '{type: start, title: Start, variables: [{variable: v, type: text-input, label: V, required: false}]}'

describe('app files as people really have them', () => {
  it('leave notes, orphans, repeated ids and edges to nowhere aside', async () => {
    const file = `${head}    nodes:
    - {id: '1', type: custom-note, data: {type: '', title: Note, text: '{}'}}
    - {id: '2', type: custom, data: ${start}}
    - {id: '3', type: custom, data: ${end("['2', v]")}}
    - {id: '3', type: custom, data: {type: knowledge-index, title: Again}}
    - {id: '4', type: custom, data: {type: knowledge-index, title: Orphan}}
    - {id: '5', type: custom-iteration-start, parentId: '99', data: {type: iteration-start, title: '', isInIteration: true}}
    edges:
    - {id: a, source: '2', target: '3', sourceHandle: source, targetHandle: target}
    - {id: a, source: '2', target: '77', sourceHandle: null, targetHandle: target}
    - {id: b, source: '78', target: '3', sourceHandle: source}
    - {source: '1', target: '4'}
`
    expect(await outputsOf(file, { v: 'x' })).to.deep.equal({ out: 'x' })
  })

  it('name nodes by digits without quotes, and with hyphens', async () => {
    const file = `${head}    nodes:
    - {id: 1727186697955, data: ${start}}
    - {id: my-end-node, data: ${end('[1727186697955, v]')}}
    edges:
    - {source: 1727186697955, target: my-end-node, sourceHandle: null}
`
    expect(await outputsOf(file, { v: 'y' })).to.deep.equal({ out: 'y' })
  })

  it('have positions, sizes, colours and features that mean nothing to a run', async () => {
    const file = `version: 0.1.5
kind: app
app: {name: A, mode: workflow, icon: "\\U0001F916", icon_background: '#FFEAD5', description: ''}
workflow:
  features: {file_upload: {image: {enabled: false}}, retriever_resource: {enabled: false}}
  graph:
    edges:
    - {data: {isInIteration: false, sourceType: start, targetType: end}, id: 1-source-2-target, source: '1', sourceHandle: source, target: '2', targetHandle: target, type: custom, zIndex: 0}
    nodes:
    - {data: ${start}, height: 89, id: '1', position: {x: 30, y: 276}, positionAbsolute: {x: 30, y: 276}, selected: false, sourcePosition: right, type: custom, width: 244}
    - {data: ${end("['1', v]")}, height: 89, id: '2', position: {x: 334, y: 276}, type: custom, width: 244}
    viewport: {x: 0, y: 0, zoom: 1}
`
    expect(await outputsOf(file.replaceAll('\n', '\r\n'), { v: 'z' })).to.deep.equal({ out: 'z' })
  })

  it('leave out the edges when there is one node', async () => {
    expect(await outputsOf(`${head}    nodes:\n    - {id: s, data: ${start}}\n`)).to.deep.equal({})
  })

  // "The Norway problem": the core schema of YAML 1.2 has no other words for true and false, and no sexagesimal numbers.
  it('mean text by no, on, yes, y and 12:30, as YAML 1.2 does', async () => {
    const file = `${head}    nodes:
    - {id: on, data: ${start}}
    - id: no
      data: {type: template-transform, title: T, template: "{{ a }} {{ b }}", variables: [{variable: a, value_selector: [env, yes]}, {variable: b, value_selector: [env, y]}]}
    - {id: off, data: ${end('[no, output]')}}
    edges: [{source: on, target: no}, {source: no, target: off}]
  environment_variables: [{name: yes, value: no, value_type: string}, {name: y, value: 12:30, value_type: string}]
`
    expect(await outputsOf(file)).to.deep.equal({ out: 'no 12:30' })
  })
})
