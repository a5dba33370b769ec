import { expect } from 'chai'
import type { AppDefinition, JsonObject } from '#domain/app.ts'
import { dependenciesOf, leakedDependencies } from '#domain/app-dependencies.ts'

const plugin = (name: string): JsonObject => ({
  type: 'marketplace',
  value: { marketplace_plugin_unique_identifier: `langgenius/${name}:0.1.0@ab12` },
})
const definition = (parts: Partial<AppDefinition>): AppDefinition => ({
  id: 'd',
  appId: 'a',
  kind: 'published',
  dslVersion: '0.6.0',
  workflow: null,
  modelConfig: null,
  ...parts,
})
const issue = (node: string) => ({ node, title: '', reason: '', fix: '' })
const node = (id: string, provider: string): JsonObject => ({ id, data: { tools: [{ model: { provider } }] } })

describe('dependencies of an app', () => {
  const dependencies = dependenciesOf({
    dependencies: [plugin('openai'), plugin('tavily'), 'text', null, { type: 7, value: [] }],
  })
  const leaked = (one: AppDefinition, ...nodes: string[]) =>
    leakedDependencies(dependencies, one, nodes.map(issue)).map(({ value }) => value)

  it('N01 reads what is there and skips what is no mapping', () => {
    expect(dependencies.map(({ type }) => type)).to.deep.equal(['marketplace', 'marketplace', ''])
    expect(dependenciesOf({})).to.deep.equal([])
    expect(dependenciesOf({ dependencies: 'text' })).to.deep.equal([])
  })

  for (const provider of ['langgenius/openai/openai', 'langgenius/openai', 'openai']) {
    it(`N01 a node that cannot run and names ${provider} lacks that plugin`, () => {
      const graph = definition({ workflow: { graph: { nodes: [node('1', provider), node('2', 'tavily')] } } })
      expect(leaked(graph, '1')).to.deep.equal([plugin('openai').value])
      expect(leaked(graph, '1', '2')).to.have.length(2)
      expect(leaked(graph)).to.deep.equal([])
      expect(leaked(graph, 'no such node')).to.deep.equal([])
    })
  }

  it('N01 names that only begin or end alike are others', () => {
    const graph = definition({ workflow: { graph: { nodes: [node('1', 'langgenius/openai_compatible/openai_x')] } } })
    expect(leaked(graph, '1')).to.deep.equal([])
  })

  it('N01 an app without a graph lacks by section', () => {
    const chat = definition({ modelConfig: { model: { provider: 'langgenius/openai/openai' } } })
    expect(leaked(chat, 'model')).to.have.length(1)
    expect(leaked(chat, 'agent_mode')).to.deep.equal([])
  })
})
