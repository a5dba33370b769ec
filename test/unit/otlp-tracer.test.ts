import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect } from 'chai'
import { openOtlpTracer } from '#adapters/telemetry/otlp-tracer.ts'
import type { Tracer } from '#application/ports/tracer.ts'
import { traced } from '#application/traced.ts'
import { DomainError } from '#domain/errors.ts'
import { openTracing, withTraceparent } from '#src/tracing.ts'

const SETTINGS = { serviceName: 's', version: '0', sampler: 'parentbased_always_on', ratio: 1 }
const THEIRS = '0af7651916cd43dd8448eb211c80319c'
const traceIn = (tracer: Tracer) => tracer.traceparent()?.split('-')[1]
const sampledIn = (tracer: Tracer) => tracer.traceparent()?.split('-')[3] === '01'

/** No span is ended here, so nothing is ever sent. */
const open = (over: Partial<typeof SETTINGS> = {}) => openOtlpTracer({ ...SETTINGS, ...over }).tracer

describe('the tracer', () => {
  it('continues a trace of a trusted peer only', () => {
    const tracer = open()
    const traceparent = `00-${THEIRS}-b7ad6b7169203331-01`
    const from = (isTrusted: boolean) => tracer.begin('a', 'server', {}, { traceparent, isTrusted })
    expect(from(true).within(() => traceIn(tracer))).to.equal(THEIRS)
    expect(from(false).within(() => traceIn(tracer)))
      .to.match(/^[0-9a-f]{32}$/)
      .and.not.equal(THEIRS)
  })

  it('keeps what the sampler says, whatever a stranger asks for', () => {
    const asked = (flags: string, isTrusted: boolean) => ({
      traceparent: `00-${THEIRS}-b7ad6b7169203331-${flags}`,
      isTrusted,
    })
    const isKept = (sampler: string, flags: string, isTrusted: boolean, ratio = 1) => {
      const tracer = open({ sampler, ratio })
      return tracer.begin('a', 'server', {}, asked(flags, isTrusted)).within(() => sampledIn(tracer))
    }
    expect(isKept('parentbased_always_off', '01', false)).to.equal(false)
    expect(isKept('parentbased_always_off', '01', true)).to.equal(true)
    expect(isKept('parentbased_always_on', '00', true)).to.equal(false)
    expect(isKept('parentbased_always_on', '00', false)).to.equal(true)
    expect(isKept('traceidratio', '01', true, 0)).to.equal(false)
    expect(isKept('always_on', '00', true)).to.equal(true)
  })

  it('tells nothing outside of a request, and follows work that goes on after it', async () => {
    const tracer = open()
    const outside = tracer.begin('store', 'internal')
    expect(outside.within(() => tracer.traceparent())).to.equal(null)
    const request = tracer.begin('request', 'server')
    const later = request.within(async () => {
      await Promise.resolve()
      return traceIn(tracer)
    })
    expect(await later).to.equal(request.within(() => traceIn(tracer)))
    expect(tracer.traceparent()).to.equal(null)
  })

  it('adds the trace to what goes to a model, beside the headers that are there', async () => {
    const tracer = open()
    const sent: Headers[] = []
    const fetcher = withTraceparent(tracer, async (_input, init) => {
      sent.push(new Headers(init?.headers))
      return new Response()
    })
    await fetcher('http://model.example', { headers: { Authorization: 'Bearer k' } })
    await tracer
      .begin('a', 'server')
      .within(() => fetcher('http://model.example', { headers: { Authorization: 'Bearer k' } }))
    expect(sent.map((one) => one.has('traceparent'))).to.deep.equal([false, true])
    expect(sent.every((one) => one.get('authorization') === 'Bearer k')).to.equal(true)
  })

  it('E17 names a fault by its code or class, never by its message', async () => {
    const faults: unknown[] = []
    const tracer: Tracer = {
      begin: () => ({ within: (work) => work(), end: (how) => void faults.push(how?.fault) }),
      traceparent: () => null,
    }
    const store = traced(tracer, 'store', {
      refuses: async () => Promise.reject(new DomainError('invalid_bearer', {})),
      breaks: async () => Promise.reject(new TypeError('hunter2')),
      throws: () => {
        throw new RangeError('hunter2')
      },
      works: async () => 7,
    })
    for (const call of [store.refuses, store.breaks, async () => store.throws()]) {
      await call().catch(() => {})
    }
    expect(await store.works()).to.equal(7)
    expect(faults).to.deep.equal(['invalid_bearer', 'TypeError', 'RangeError', undefined])
  })

  it('costs nothing where it is not wanted: its packages are not loaded', async function () {
    // A whole server is loaded in a process of its own.
    this.timeout(30_000)
    expect(await openTracing(null, '0')).to.equal(null)
    const source = `
      import { registerHooks } from 'node:module'
      const loaded = []
      registerHooks({ load: (url, context, next) => { loaded.push(url); return next(url, context) } })
      const { openTracing } = await import('#src/tracing.ts')
      await import('#src/server.ts')
      await openTracing(null, '0')
      console.log(loaded.filter((url) => /@opentelemetry.(sdk|exporter|resources)/.test(url)).length, loaded.length > 100)`
    const run = spawnSync(process.execPath, ['--input-type=module', '-e', source], {
      cwd: join(import.meta.dirname, '../..'),
      encoding: 'utf8',
    })
    expect(run.stdout.trim(), run.stderr).to.equal('0 true')
  })
})
