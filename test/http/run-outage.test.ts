import { expect } from 'chai'
import { DomainError } from '#domain/errors.ts'
import { framesIn } from '../support/sse.ts'
import { chatFile, graphChatFile, workflowFile } from './app-files.ts'
import { API, aPlace, mintOwn, type Place } from './place.ts'

const away = async () => {
  throw new DomainError('service_unavailable', {})
}

describe('a run whose stores go away', () => {
  let place: Place
  let token: string
  afterEach(() => place.close())

  async function open(change: Parameters<typeof aPlace>[0]) {
    place = await aPlace(change)
    token = await mintOwn(place)
  }
  async function run(source: string, json: object) {
    const appId = await place.addApp(source)
    return place.post(`${API}/apps/${appId}/run`, { token, json: { inputs: {}, ...json } })
  }

  it('at its first word is 503 with Retry-After, not a fault of ours', async () => {
    await open({ change: (ports) => ({ ...ports, conversations: { ...ports.conversations, create: away } }) })
    for (const response_mode of ['blocking', 'streaming']) {
      const reply = await run(chatFile(), { query: 'hi', response_mode })
      expect([reply.status, reply.json.error]).to.deep.equal([503, 'service_unavailable'])
      expect(reply.headers.get('retry-after')).to.equal('5')
    }
  })

  it('just before it starts is 503 too, in every mode', async () => {
    await open({ change: (ports) => ({ ...ports, bindings: { ...ports.bindings, list: away } }) })
    for (const source of [chatFile(), graphChatFile()]) {
      const reply = await run(source, { query: 'hi', response_mode: 'streaming' })
      expect([reply.status, reply.json.error]).to.deep.equal([503, 'service_unavailable'])
    }
  })

  it('at its end ends its stream with one ending all the same', async () => {
    await open({ change: (ports) => ({ ...ports, runs: { ...ports.runs, finish: away } }) })
    const chat = framesIn((await run(chatFile(), { query: 'hi', response_mode: 'streaming' })).text)
    expect(chat.at(-1)).to.include({ event: 'error', status: 503, code: 'service_unavailable' })
    const graph = framesIn((await run(workflowFile(), { response_mode: 'streaming' })).text)
    expect(graph.at(-1)).to.include({ event: 'workflow_finished' })
    expect(graph.at(-1).data).to.include({ status: 'failed' })
    for (const frames of [chat, graph]) {
      const endings = frames.filter(({ event }) => ['error', 'message_end', 'workflow_finished'].includes(event))
      expect(endings).to.have.length(1)
    }
  })
})
