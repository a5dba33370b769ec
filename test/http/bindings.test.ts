import { expect } from 'chai'
import sinon from 'sinon'
import { aWorld } from '../support/world.ts'
import { chatFile, graphChatFile } from './app-files.ts'
import { API } from './place.ts'
import { bindingsSuite } from './suites/bindings.ts'

bindingsSuite('memory', {})

describe('bindings of a run', () => {
  it('are read once, whether or not the app has a graph', async () => {
    const world = await aWorld()
    try {
      const { token } = await world.login()
      const list = sinon.spy(world.ports.bindings, 'list')
      for (const file of [chatFile(), graphChatFile()]) {
        const appId = await world.addApp(file)
        list.resetHistory()
        const json = { inputs: {}, query: 'hi', response_mode: 'blocking' }
        expect((await world.post(`${API}/apps/${appId}/run`, { token, json })).status).to.equal(200)
        expect(list.callCount).to.equal(1)
      }
    } finally {
      await world.close()
    }
  })
})
