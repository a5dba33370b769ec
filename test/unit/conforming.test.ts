import { createServer, type RequestListener } from 'node:http'
import { expect } from 'chai'
import { sampleError } from '#adapters/http/error-samples.ts'
import { type Conforming, conforming } from '../support/conforming.ts'
import { onLoopback } from '../support/loopback.ts'

const HEADERS = { 'X-Request-Id': 'a', 'X-Version': '1', 'Content-Type': 'application/json' }
const WAIT = { ...HEADERS, 'Retry-After': '1' }

/** What a caller gets of `handle` at `path`, and what the check says afterwards. */
async function held(handle: RequestListener, path = '/openapi/v1/_health') {
  const checked: Conforming = conforming(handle)
  const server = createServer(checked.listener)
  const { url, close } = await onLoopback(server)
  try {
    const response = await fetch(url + path)
    return { status: response.status, text: await response.text(), expectNoMisfit: checked.expectNoMisfit }
  } finally {
    await close()
  }
}

const answer =
  (status: number, headers: Record<string, string>, body: unknown, flushes = false): RequestListener =>
  (_req, res) => {
    res.statusCode = status
    for (const [name, value] of Object.entries(headers)) res.setHeader(name, value)
    if (flushes) res.flushHeaders()
    res.end(JSON.stringify(body))
  }

describe('the check of answers against the OpenAPI document', () => {
  it('A14 lets through what is in it, and what lies outside the prefix', async () => {
    const fine = await held(answer(200, HEADERS, { ok: true }))
    expect([fine.status, fine.text]).to.deep.equal([200, '{"ok":true}'])
    fine.expectNoMisfit()
    const elsewhere = await held(answer(200, {}, { any: 'thing' }), '/signin')
    expect(elsewhere.status).to.equal(200)
    elsewhere.expectNoMisfit()
  })

  const { body: unreachable } = sampleError('service_unavailable')
  const { body: limited } = sampleError('rate_limited')
  const MISFITS: readonly (readonly [string, number, Record<string, string>, unknown, string?])[] = [
    ['a member that is not declared', 200, HEADERS, { ok: true, debug: 1 }],
    ['a member of the wrong type', 200, HEADERS, { ok: 'yes' }],
    ['a status that is not listed', 418, HEADERS, {}],
    ['another content type', 200, { ...HEADERS, 'Content-Type': 'text/html' }, { ok: true }],
    ['a missing header', 200, { 'Content-Type': 'application/json' }, { ok: true }],
    ['a wait without Retry-After', 503, HEADERS, unreachable, '/openapi/v1/account'],
    ['a refusal of another route', 429, WAIT, { ...limited, error: 'expired_token' }, '/openapi/v1/account'],
    ['an unknown path without the one error body', 404, HEADERS, { oops: true }, '/openapi/v1/nothing'],
  ]
  for (const [what, status, headers, body, path] of MISFITS) {
    it(`A14 answers ${what} with 599, and throws`, async () => {
      const { status: got, text, expectNoMisfit } = await held(answer(status, headers, body), path)
      expect([got, text.includes(path ?? '/_health')]).to.deep.equal([599, true])
      expect(expectNoMisfit).to.throw('A14')
    })
  }

  it('A14 throws also where the head was gone already', async () => {
    const { status, expectNoMisfit } = await held(answer(200, HEADERS, { ok: false }, true))
    expect(status).to.equal(200)
    expect(expectNoMisfit).to.throw('A14')
  })
})
