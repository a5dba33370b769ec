import { expect } from 'chai'
import sinon from 'sinon'
import { randomBytes } from '#adapters/crypto/random.ts'
import { drawUserCode, USER_CODE_ALPHABET } from '#domain/user-code.ts'
import { flowOf, said } from './flow.ts'
import { API, aPlace, type Place } from './place.ts'

describe('device flow input', () => {
  let place: Place
  let flow: ReturnType<typeof flowOf>

  beforeEach(async () => {
    place = await aPlace({ settings: { decidePerHour: 0 } })
    flow = flowOf(place)
  })
  afterEach(async () => {
    sinon.restore()
    await place.close()
  })

  it('E02 a million user codes have the right shape, and every letter is as likely at every place', function () {
    this.timeout(30_000)
    const draws = 1_000_000
    const shape = new RegExp(`^[${USER_CODE_ALPHABET}]{4}-[${USER_CODE_ALPHABET}]{4}$`)
    const counts = Array.from({ length: 9 }, () => new Map<string, number>())
    for (let draw = 0; draw < draws; draw++) {
      const code = drawUserCode(randomBytes)
      if (!shape.test(code)) expect.fail(`${code} is no user code`)
      for (const [at, count] of counts.entries()) count.set(code.charAt(at), (count.get(code.charAt(at)) ?? 0) + 1)
    }
    const expected = draws / USER_CODE_ALPHABET.length
    for (const [at, count] of counts.entries()) {
      if (at === 4) continue
      const chiSquare = [...USER_CODE_ALPHABET]
        .map((letter) => ((count.get(letter) ?? 0) - expected) ** 2 / expected)
        .reduce((sum, term) => sum + term, 0)
      // 29 degrees of freedom: a fair draw passes 90 once in thirty million; a bare modulo would stand at thousands.
      expect(chiSquare, `place ${at}`).to.be.below(90)
    }
  })

  it('E03 five collisions in a row are a 503, not a sixth draw', async () => {
    const insert = sinon.stub(place.ports.flows, 'insert').resolves(false)
    const reply = await flow.code()
    expect(said(reply)).to.equal('503 user_code_exhausted')
    expect(reply.headers.get('retry-after')).to.equal('5')
    expect(insert.callCount).to.equal(5)
    insert.onCall(5 + 4).resolves(true)
    expect((await flow.code()).status).to.equal(200)
  })

  it('E04 a client that is not known is told so', async () => {
    for (const client_id of ['acme', 'DIFYCTL', ' difyctl', '__proto__']) {
      const reply = await flow.code({ client_id, device_label: 'laptop' })
      expect(said(reply), client_id).to.equal('400 unsupported_client')
    }
  })

  const OVERLONG = 'x'.repeat(65)
  const BAD_STARTS: Readonly<Record<string, unknown>> = {
    'no client id': { device_label: 'laptop' },
    'an empty client id': { client_id: '', device_label: 'laptop' },
    'a client id of 65': { client_id: OVERLONG, device_label: 'laptop' },
    'a client id that is a number': { client_id: 7, device_label: 'laptop' },
    'a client id that is a list': { client_id: ['difyctl'], device_label: 'laptop' },
    'no label in JSON': { client_id: 'difyctl' },
    'an empty label': { client_id: 'difyctl', device_label: '' },
    'a blank label': { client_id: 'difyctl', device_label: '   ' },
    'a label of 256': { client_id: 'difyctl', device_label: 'x'.repeat(256) },
    'a label with a line break': { client_id: 'difyctl', device_label: 'a\nb' },
    'a label with an escape': { client_id: 'difyctl', device_label: 'a\u001b[31m' },
    'a label that turns text around': { client_id: 'difyctl', device_label: 'a\u202eb' },
    'a label of two lines': { client_id: 'difyctl', device_label: 'a\u2028b' },
  }
  for (const [what, json] of Object.entries(BAD_STARTS)) {
    it(`E05 ${what} is refused with 400 and the field’s name, never its value`, async () => {
      const reply = await flow.code(json)
      expect(said(reply)).to.equal('400 invalid_request')
      expect(reply.json.error_description).to.match(/^(client_id|device_label) /)
      expect(reply.text).to.not.contain(OVERLONG)
    })
  }

  it('E05 the longest client id and label are taken', async () => {
    const client = 'c'.repeat(64)
    const open = await aPlace({ settings: { knownClientIds: [client] } })
    try {
      const label = '笔'.repeat(255)
      expect((await flowOf(open).code({ client_id: client, device_label: label })).status).to.equal(200)
    } finally {
      await open.close()
    }
  })

  const BAD_POLLS: Readonly<Record<string, readonly [json: unknown, error: string]>> = {
    'no device code': [{ client_id: 'difyctl' }, 'invalid_request'],
    'an empty device code': [{ client_id: 'difyctl', device_code: '' }, 'invalid_request'],
    'a device code that is a number': [{ client_id: 'difyctl', device_code: 1 }, 'invalid_request'],
    'no client id': [{ device_code: 'dc_x' }, 'invalid_request'],
    'a client id of 65': [{ client_id: OVERLONG, device_code: 'dc_x' }, 'invalid_request'],
    'another grant': [{ client_id: 'difyctl', device_code: 'dc_x', grant_type: 'password' }, 'unsupported_grant_type'],
    'an unknown code': [{ client_id: 'difyctl', device_code: 'dc_x' }, 'expired_token'],
    'an unknown client': [{ client_id: 'acme', device_code: 'dc_x' }, 'expired_token'],
  }
  for (const [what, [json, error]] of Object.entries(BAD_POLLS)) {
    it(`E05 a poll with ${what} is 400 ${error}`, async () => {
      expect(said(await place.post(`${API}/oauth/device/token`, { json }))).to.equal(`400 ${error}`)
    })
  }
})
