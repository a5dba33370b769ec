import { expect } from 'chai'
import fc from 'fast-check'
import { createSandbox, type Sandbox } from '#adapters/runner-native/code/sandbox.ts'
import { renderPlain } from '#adapters/runner-native/templates/plain-template.ts'
import type { JsonObject } from '#domain/app.ts'

const never = new AbortController().signal
const realTimer = (delayMs: number, fire: () => void) => {
  const timer = setTimeout(fire, delayMs)
  return () => clearTimeout(timer)
}

describe('sandbox for code and templates', function () {
  this.timeout(30_000)
  let sandbox: Sandbox
  before(() => {
    sandbox = createSandbox({ timer: realTimer, timeoutMs: 400, size: 2 })
  })
  after(() => sandbox.close())

  const run = (code: string, inputs: JsonObject = {}) => sandbox.runJavaScript(code, inputs, never)
  const stillWorks = async () =>
    expect(await run('function main() { return { ok: 1 } }')).to.deep.equal({ ok: true, value: { ok: 1 } })

  it('calls main with the inputs, also an async one', async () => {
    const code = 'function main({ a, b }) { console.log("quiet"); return { sum: a + b.c } }'
    expect(await run(code, { a: 1, b: { c: 2 } })).to.deep.equal({ ok: true, value: { sum: 3 } })
    const later = 'const main = async ({ a }) => ({ out: await Promise.resolve(a) })'
    expect(await run(later, { a: 'x' })).to.deep.equal({ ok: true, value: { out: 'x' } })
  })

  it('says what is wrong with the code in its own words', async () => {
    expect(await run('function main() { throw new TypeError("boo") }')).to.deep.equal({
      ok: false,
      error: 'TypeError: boo',
    })
    expect(await run('function main( {')).to.have.property('ok', false)
    expect(await run('1')).to.deep.equal({ ok: false, error: "ReferenceError: 'main' is not defined" })
    expect(await run('function main() {}')).to.deep.equal({ ok: false, error: 'main must return an object' })
  })

  it('stops an endless loop, and goes on working', async () => {
    expect(await run('function main() { for (;;); }')).to.deep.equal({ ok: false, error: 'the code took too long' })
    expect(await run('async function main() { await new Promise(() => {}) }')).to.deep.equal({
      ok: false,
      error: 'main never finished',
    })
    await stillWorks()
  })

  it('survives code that eats memory or stack', async () => {
    expect(await run('function main() { return { size: new ArrayBuffer(1e9).byteLength } }')).to.deep.equal({
      ok: false,
      error: 'InternalError: out of memory',
    })
    expect(await run('function main() { const a = []; for (;;) a.push(new Array(100000).fill(1)) }')).to.have.property(
      'ok',
      false,
    )
    expect(await run('function main() { return main() + 1 }')).to.have.property('ok', false)
    await stillWorks()
  })

  // What an attacker would reach for: every way from the interpreter to the machine under it.
  const escapes: Readonly<Record<string, string>> = {
    process: 'typeof process',
    require: 'typeof require',
    fetch: 'typeof fetch',
    WebAssembly: 'typeof WebAssembly',
    'a constructor chain': '(() => {}).constructor("return typeof process")()',
    'the constructor chain of an input': 'inputs.o.constructor.constructor("return typeof process")()',
    'indirect eval': '(0, eval)("typeof process")',
    'the global object': 'typeof Reflect.get(globalThis, "process")',
  }
  for (const [name, expression] of Object.entries(escapes)) {
    it(`keeps code from the machine by way of ${name}`, async () => {
      const code = `function main(inputs) { return { found: ${expression} } }`
      expect(await run(code, { o: {} })).to.deep.equal({ ok: true, value: { found: 'undefined' } })
    })
  }

  it('keeps code from loading modules', async () => {
    for (const name of ['fs', 'node:child_process', '/etc/passwd']) {
      expect(
        await run(`async function main() { return { m: await import(${JSON.stringify(name)}) } }`),
      ).to.have.property('ok', false)
    }
  })

  it('keeps nothing from one run to the next', async () => {
    await run('function main() { globalThis.leak = 1; Object.prototype.leak = 1; return { a: 1 } }')
    expect(await run('function main() { return { leak: typeof leak, own: typeof ({}).leak } }')).to.deep.equal({
      ok: true,
      value: { leak: 'undefined', own: 'undefined' },
    })
  })

  it('does not trust what code makes of JSON', async () => {
    expect(await run('JSON.stringify = () => "{{{"; function main() { return {} }')).to.deep.equal({
      ok: false,
      error: 'main must return an object',
    })
  })

  it('ends at once when the run is aborted', async () => {
    const stop = new AbortController()
    const running = sandbox.runJavaScript('function main() { for (;;); }', {}, stop.signal)
    stop.abort()
    expect(await running).to.deep.equal({ ok: false, error: 'the run has ended' })
    await stillWorks()
  })

  it('queues what its children cannot take at once', async () => {
    const jobs = Array.from({ length: 12 }, (_, at) => run('function main({ at }) { return { at } }', { at }))
    expect(await Promise.all(jobs)).to.deep.equal(jobs.map((_, at) => ({ ok: true, value: { at } })))
  })

  it('renders Jinja as Python words it', async () => {
    const template =
      '{% for x in list %}{{ loop.index }}={{ x }};{% endfor %}{{ none_here }}|{{ yes }}|{{ list }}|{{ deep.a.b }}\n'
    const variables = { list: ['a', 1], none_here: null, yes: true, deep: { a: { b: "it's" } } }
    expect(await sandbox.render(template, variables, never)).to.deep.equal({
      ok: true,
      value: "1=a;2=1;None|True|['a', 1]|it's",
    })
  })

  it('gives templates no way to JavaScript', async () => {
    const template = '{{ x.constructor }}{{ x.__proto__ }}{{ x.constructor.constructor("return process")() }}'
    const rendered = await sandbox.render(template, { x: {} }, never)
    expect(JSON.stringify(rendered)).not.to.match(/native|function \(/)
  })

  it('words filters, tests and tojson as Python does, down to the last blank', async () => {
    const cases: readonly (readonly [string, string])[] = [
      ['{{ "1.5" | float }} {{ "x" | int }} {{ 7 // 2 }} {{ 2 ** 3 }} {{ 1 / 2 }}', '1.5 0 3 8 0.5'],
      ['{{ d | join(",") }} {{ d.items() | list }} {{ d | tojson }}', 'k,j [(\'k\', 1), (\'j\', 2)] {"j": 2, "k": 1}'],
      ['{{ "%.2f" | format(x) }} {{ x | round(1) }} {{ l | map(attribute="n") | sum }}', '1.25 1.2 3'],
      ['{% set ns = namespace(t=0) %}{% for i in l %}{% set ns.t = ns.t + i.n %}{% endfor %}{{ ns.t }}', '3'],
      ['{% macro m(a, b=2) %}{{ a }}-{{ b }}{% endmacro %}{{ m(1) }}{{ m(1, b=3) }}', '1-21-3'],
      ['{%- if x is defined and y is not defined -%}  yes  {%- endif -%}', 'yes'],
      ['{{ l | selectattr("n", "gt", 1) | map(attribute="n") | first }}{{ [3,1,2] | sort | last }}', '23'],
      ['{{ "a,b" .split(",") }}{{ "ab"[::-1] }}{{ "x" if y else "z" }}', "['a', 'b']baz"],
      ['{% for k, v in d.items() %}{{ loop.first }}{{ k }}={{ v }} {% else %}none{% endfor %}', 'Truek=1 Falsej=2 '],
      [
        '{{ "<b>" | e }}{{ "a b" | urlencode }}{{ "hello world" | title | replace("o", "0") }}',
        '&lt;b&gt;a%20bHell0 W0rld',
      ],
      ['{% raw %}{{ x }}{% endraw %}{# gone #}{{ "\\n" }}|', '{{ x }}\n|'],
    ]
    const given = { d: { k: 1, j: 2 }, x: 1.25, l: [{ n: 1 }, { n: 2 }] }
    for (const [text, expected] of cases) {
      expect(await sandbox.render(text, given, never), text).to.deep.equal({ ok: true, value: expected })
    }
  })

  it('gives templates no way behind what they were given', async () => {
    for (const attack of [
      "{{ ''.__class__.__mro__[1].__subclasses__() }}",
      '{{ cycler.__init__.__globals__.os.popen("id").read() }}',
      '{{ self._TemplateReference__context.cycler.__init__.__globals__ }}',
      '{{ x.update({"a": 1}) or x.__class__ }}',
      "{{ lipsum.__globals__['os'].environ }}",
      "{{ ''|attr('__class__')|attr('__mro__') }}",
      '{% for c in [].__class__.__base__.__subclasses__() %}{{ c }}{% endfor %}',
      '{{ range(100001) | list | length }}',
    ]) {
      const said = await sandbox.render(attack, { x: {} }, never)
      expect(JSON.stringify(said), attack).to.match(/unsafe|Overflow|Undefined|has no attribute|"value":""/)
      expect(JSON.stringify(said), attack).to.not.match(/uid=|<class 'os|subprocess|PATH/)
    }
  })

  it('kills a template that does not end, and goes on working', async () => {
    const nested = '{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}'
    expect(await sandbox.render(nested, {}, never)).to.deep.equal({ ok: false, error: 'it took too long' })
    expect(await sandbox.render('{{ a | upper }}', { a: 'x' }, never)).to.deep.equal({ ok: true, value: 'X' })
  })

  it('refuses broken templates and results that are too long', async () => {
    expect(await sandbox.render('{% if %}', {}, never)).to.have.property('ok', false)
    expect(await sandbox.render('{{ a }}{{ a }}', { a: 'x'.repeat(200_001) }, never)).to.deep.equal({
      ok: false,
      error: 'the result is longer than 400000 characters',
    })
  })

  it('starts no child before one is needed, and none after it was closed', async () => {
    const other = createSandbox({ timer: realTimer })
    expect(await other.render('{{ a }}', { a: 'plain' }, never)).to.deep.equal({ ok: true, value: 'plain' })
    await other.close()
    expect(await other.runJavaScript('function main() { return {} }', {}, never)).to.have.property('ok', false)
  })
})

describe('plain templates', function () {
  this.timeout(60_000)
  let sandbox: Sandbox
  before(() => {
    sandbox = createSandbox({ timer: realTimer })
  })
  after(() => sandbox.close())

  const variables = {
    a: 'x',
    empty: '',
    nothing: null,
    yes: true,
    no: false,
    n: 12,
    brace: '{{ a }}',
    text: '{% <&> %}\n',
  }
  const name = fc.constantFrom(...Object.keys(variables), 'unknown', 'true', 'None', 'or')
  const placeholder = fc
    .tuple(fc.constantFrom('', ' ', '  ', '\t'), name, fc.constantFrom('', ' ', '\t '))
    .map(([before, one, after]) => `{{${before}${one}${after}}}`)
  const piece = fc.oneof(placeholder, fc.constantFrom('\n', '\n\n', ' ', 'Hello', '\r\n', 'ü', '"', '<b>', '$'))
  const template = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''))

  it('are rendered exactly as Jinja renders them', async () => {
    let plain = 0
    const same = async (text: string) => {
      const quick = renderPlain(text, variables)
      if (quick === null) return
      plain++
      // A comment makes it anything but plain, and says nothing.
      const real = await sandbox.render(`{# #}${text}`, variables, never)
      expect(real, JSON.stringify(text)).to.deep.equal({ ok: true, value: quick })
    }
    await fc.assert(fc.asyncProperty(template, same), { numRuns: 300 })
    expect(plain).to.be.above(50)
  })

  it('are filled in no further than they may be long, however often they name a long variable', async () => {
    const short = createSandbox({ timer: realTimer, maxRendered: 25 })
    const ten = { x: 'x'.repeat(10) }
    const signal = never
    expect(await short.render('{{ x }}{{ x }}', ten, signal)).to.deep.equal({ ok: true, value: 'x'.repeat(20) })
    expect((await short.render('{{ x }}'.repeat(1_000_000), ten, signal)).ok).to.equal(false)
    expect(renderPlain('{{ x }}'.repeat(1_000_000), ten, 25)).to.equal('x'.repeat(30))
    await short.close()
  })

  it('leave everything else to the engine', () => {
    for (const template of [
      '{% set a = 1 %}',
      '{# c #}',
      '{{ a | upper }}',
      '{{ a.b }}',
      '{{ true }}',
      '{{ "x" }}',
      '{{ a',
      '{{- a }}',
    ]) {
      expect(renderPlain(template, variables), template).to.equal(null)
    }
    expect(renderPlain('{{ list }}', { list: [1] })).to.equal(null)
    expect(renderPlain('{{ f }}', { f: 0.1 })).to.equal(null)
  })
})
