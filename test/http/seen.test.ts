import { expect } from 'chai'
import { createChallenges } from '#adapters/crypto/challenges.ts'
import { SEEN_PATH } from '#adapters/http/routes/seen.ts'
import { aWorld, type Reply, type World } from '../support/world.ts'

const OTHERS = createChallenges([{ kid: 'test', key: 'o'.repeat(32) }])
const KEYS = /"key"|k{32}/

/** All of an answer but what is another with every request. */
const faceOf = ({ status, headers, text }: Reply) => [
  status,
  text,
  [...headers].filter(([name]) => !/^(?:date|x-request-id)$/.test(name)),
]

describe('what the server tells of a request to a command of its own', () => {
  let world: World
  beforeEach(async () => {
    world = await aWorld({ trustedProxies: ['127.0.0.1/32'] })
  })
  afterEach(() => world.close())

  const pathOf = (challenge: string) => `${SEEN_PATH}?challenge=${challenge}`
  const issue = () => world.ports.challenges.issue(world.clock.now())
  const expectNothing = async (path: string, send: Parameters<World['get']>[1] = {}) => {
    const nowhere = await world.get('/_nowhere', send)
    expect(nowhere.status).to.equal(404)
    expect(faceOf(await world.get(path, send)), path).to.deep.equal(faceOf(nowhere))
  }

  it('answers a challenge with what it saw, provably for this challenge', async () => {
    const challenge = issue()
    const { status, json, headers } = await world.get(pathOf(challenge.text), {
      headers: { 'X-Forwarded-For': '192.0.2.1, 198.51.100.4:4711', 'X-Forwarded-Proto': 'HTTPS' },
    })
    expect(status).to.equal(200)
    expect(JSON.parse(json.seen)).to.deep.equal({
      peer: '127.0.0.1',
      isPeerTrusted: true,
      client: '198.51.100.4',
      hops: 2,
      furthest: '192.0.2.1',
      proto: 'https',
      host: new URL(world.url).host,
    })
    expect(headers.get('cache-control')).to.equal('no-store')
    expect(challenge.isAnswer(json.seen, json.mac)).to.equal(true)
    expect(issue().isAnswer(json.seen, json.mac)).to.equal(false)
  })

  it('reads Forwarded where the other header is not there, and no scheme that is none', async () => {
    const ask = async (headers: Record<string, string>) =>
      JSON.parse((await world.get(pathOf(issue().text), { headers })).json.seen)
    expect(await ask({ Forwarded: 'for="[2001:db8::1]:80";proto=https' })).to.deep.include({
      client: '2001:db8::1',
      proto: 'https',
      hops: 1,
    })
    expect(await ask({ 'X-Forwarded-Proto': 'gopher' })).to.deep.include({ proto: null, hops: 0, furthest: null })
    expect(await ask({ 'X-Forwarded-For': 'unknown' })).to.deep.include({ furthest: null, hops: 1 })
  })

  // Whoever reads challenges in the log of a proxy must get nothing for them.
  it('is a path that is not there to whoever repeats a challenge, at another replica too', async () => {
    const { text } = issue()
    expect((await world.get(pathOf(text))).status).to.equal(200)
    await expectNothing(pathOf(text))
    expect(await world.ports.nonces.spend('challenge', text.split('.')[0] ?? '')).to.equal(false)
  })

  it('of fifty who show one challenge at once answers one', async () => {
    const { text } = issue()
    const replies = await Promise.all(Array.from({ length: 50 }, () => world.get(pathOf(text))))
    expect(replies.filter(({ status }) => status === 200)).to.have.length(1)
  })

  it('is a path that is not there once a challenge has expired', async () => {
    const { text } = issue()
    world.clock.advance(60_000)
    await expectNothing(pathOf(text))
  })

  it('is a path that is not there without a challenge, with a foreign one, or with one that was changed', async () => {
    const foreign = OTHERS.issue(world.clock.now()).text
    const { text } = issue()
    const changed = (text.startsWith('A') ? 'B' : 'A') + text.slice(1)
    for (const path of [SEEN_PATH, pathOf(''), pathOf(foreign), pathOf(changed), pathOf('x'.repeat(4000))]) {
      await expectNothing(path)
    }
    await expectNothing(pathOf(foreign), { headers: { Origin: 'https://elsewhere.example' } })
  })

  it('is a path that is not there by any other method, a good challenge or not', async () => {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS']) {
      const replies = await Promise.all(
        [pathOf(issue().text), '/_nowhere'].map((path) => fetch(world.url + path, { method })),
      )
      const faces = await Promise.all(
        replies.map(async (reply) => [reply.status, reply.headers.get('allow'), await reply.text()]),
      )
      expect(faces[0], method).to.deep.equal(faces[1])
    }
  })

  it('asks no store before a challenge is proven, and says nothing of keys', async () => {
    let spent = 0
    const watched = await aWorld({
      change: (ports) => ({
        ...ports,
        nonces: {
          ...ports.nonces,
          spend: (...given) => {
            spent += 1
            return ports.nonces.spend(...given)
          },
        },
      }),
    })
    try {
      for (let i = 0; i < 20; i++) await watched.get(pathOf(OTHERS.issue(watched.clock.now()).text))
      expect(spent).to.equal(0)
      const { text } = await watched.get(pathOf(watched.ports.challenges.issue(watched.clock.now()).text))
      expect(spent).to.equal(1)
      expect(text).to.not.match(KEYS)
    } finally {
      await watched.close()
    }
  })

  it('stands in no document', async () => {
    expect((await world.get('/openapi/v1/openapi.json')).text).to.not.contain(SEEN_PATH)
  })
})
