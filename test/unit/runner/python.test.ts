import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { missingPackages, outwardCall } from '#adapters/runner-native/code/python-packages.ts'
import { createSandbox, type Sandbox } from '#adapters/runner-native/code/sandbox.ts'
import type { JsonObject } from '#domain/app.ts'
import { aJob, aRunner, run } from './support.ts'
import { aNode, anEnd, aStart, aWorkflow, edges } from './workflow.ts'

/** The one folder of ours that the child may read. */
const FOLDER = fileURLToPath(new URL('../../../src/adapters/runner-native/code', import.meta.url))
const never = new AbortController().signal
const realTimer = (delayMs: number, fire: () => void) => {
  const timer = setTimeout(fire, delayMs)
  return () => clearTimeout(timer)
}

describe('Python packages', () => {
  const table: readonly (readonly [code: string, missing: readonly string[]])[] = [
    ['import json, re\nimport os.path as p\nfrom collections import Counter\nfrom urllib.parse import quote', []],
    ['import pandas as pd', ['pandas']],
    ['import json, numpy, os', ['numpy']],
    ['from bs4.element import Tag  # parses', ['bs4']],
    ['def main():\n    import requests\n    return {}', ['requests']],
    ['import pandas\nimport pandas', ['pandas']],
    ['try:\n    import orjson as json\nexcept ImportError:\n    import json', []],
    ['try:\n    x = 1\nfinally:\n    pass\nimport jieba', ['jieba']],
    ['text = """\nfrom here import nothing\nimport goods\n"""', []],
    ['x = "import pandas"', []],
    ['important = 1\nfrom_here = 2', []],
  ]
  for (const [code, missing] of table) {
    it(`are ${JSON.stringify(missing)} of ${JSON.stringify(code)}`, () => {
      expect(missingPackages(code)).to.deep.equal(missing)
    })
  }

  // The import of an app looks at its code in this process: a hostile line must not hold it up.
  it('are found in no time in lines that were made to take long', () => {
    for (const line of ['import a%!', 'from a% import!', 'import a%', 'import a,%', 'from% a', "'''%"]) {
      for (const filler of ['a', ' ', '.', ', ', '"']) {
        const started = performance.now()
        missingPackages(line.replace('%', filler.repeat(200_000)))
        outwardCall(line.replace('%', filler.repeat(200_000)))
        expect(performance.now() - started, line + filler).to.be.below(500)
      }
    }
  })

  for (const [code, call] of [
    ['from urllib.request import urlopen\nx = urlopen("https://a")', 'urlopen'],
    ['import urllib.request\nurllib.request.urlretrieve ("https://a", "b")', 'urlretrieve'],
    ['subprocess.run(["ls"])', 'subprocess.run'],
    ['os.system("ls")', 'os.system'],
    ['s = smtplib.SMTP_SSL("a")', 'smtplib.SMTP_SSL'],
    ['import urllib.request, socket', null],
    ['try:\n    urlopen("https://a")\nexcept OSError:\n    pass', null],
    ['# urlopen("https://a")', null],
    ['"""\nurlopen("https://a")\n"""', null],
    ['my_os.systems(1)', null],
  ] as const) {
    it(`${call ?? 'nothing'} of ${JSON.stringify(code)} leaves the process`, () => {
      expect(outwardCall(code)).to.equal(call)
    })
  }

  it('keep a run from starting, by name', async () => {
    const node = aNode('py', 'code', { code_language: 'python3', code: 'import pandas\ndef main(): pass', outputs: {} })
    const { app, definition } = aJob('workflow', { workflow: aWorkflow([aStart(), node], edges('start>py')) })
    expect(JSON.stringify(await aRunner().preflight(app, definition))).to.include('packages pandas are not')
    const code = 'import urllib.request\ndef main():\n    return urllib.request.urlopen("https://a")'
    const outward = aNode('py', 'code', { code_language: 'python3', code, outputs: {} })
    const other = aJob('workflow', { workflow: aWorkflow([aStart(), outward], edges('start>py')) })
    expect(JSON.stringify(await aRunner().preflight(other.app, other.definition))).to.include('no network')
  })
})

describe('Python', function () {
  this.timeout(60_000)
  let sandbox: Sandbox
  before(() => {
    process.env.LATCHKEY_TEST_SECRET = 'seen'
    sandbox = createSandbox({ timer: realTimer, timeoutMs: 1000, pythonSize: 2 })
  })
  after(() => {
    delete process.env.LATCHKEY_TEST_SECRET
    return sandbox.close()
  })

  const python = (code: string, inputs: JsonObject = {}, appId = 'app') => sandbox.runPython(code, inputs, appId, never)
  const stillWorks = async () =>
    expect(await python('def main():\n    return {"a": 1}')).to.deep.equal({ ok: true, value: { a: 1 } })

  it('calls main with the inputs by name, and reads what it returns', async () => {
    const code = `
import json, re, math, datetime, collections
def helper(n: int) -> int:
    return n * 2
def main(a: int, b: dict, *, c=None) -> dict:
    print("quiet")
    return {"sum": helper(a) + b["c"], "text": "ümlaut", "none": c, "yes": True, "list": [1.5, None]}
`
    expect(await python(code, { a: 1, b: { c: 2 } })).to.deep.equal({
      ok: true,
      value: { sum: 4, text: 'ümlaut', none: null, yes: true, list: [1.5, null] },
    })
  })

  const faults: Readonly<Record<string, string>> = {
    'def main():\n    raise ValueError("boo")': 'ValueError: boo',
    'x = 1': "NameError: name 'main' is not defined",
    'def main():\n    return {1, 2}': 'TypeError: Object of type set is not JSON serializable',
    'def main():\n    return {"x": float("nan")}': 'ValueError: Out of range float values are not JSON compliant',
    'import requests': 'ModuleNotFoundError',
    'def main(': 'SyntaxError',
    'def main(missing): pass': 'missing',
    'import sys\nsys.exit(3)': 'SystemExit: 3',
  }
  for (const [code, error] of Object.entries(faults)) {
    it(`says ${error} in the words of Python`, async () => {
      const ran = await python(code)
      expect(ran.ok).to.equal(false)
      expect(ran.ok ? '' : ran.error).to.include(error)
    })
  }

  it('runs a code node, and checks what it declares', async () => {
    const node = aNode('py', 'code', {
      code_language: 'python3',
      code: 'def main(x):\n    return {"out": x.upper()}',
      variables: [{ variable: 'x', value_selector: ['start', 'x'] }],
      outputs: { out: { type: 'string' } },
    })
    const workflow = aWorkflow([aStart(), node, anEnd('end', 'py.out')], edges('start>py', 'py>end'))
    const { ending } = await run(aJob('workflow', { workflow }, { inputs: { x: 'abc' } }), { code: sandbox })
    expect(ending).to.deep.include({ kind: 'succeeded', outputs: { out: 'ABC' } })
  })

  it('kills an endless loop, and goes on working', async () => {
    expect(await python('def main():\n    while True: pass')).to.deep.equal({ ok: false, error: 'it took too long' })
    await stillWorks()
  })

  it('survives code that eats memory or stack', async () => {
    for (const body of [
      'return {"n": len(bytearray(1500000000))}',
      'x = []\n    while True: x.append(bytearray(50000000))',
    ]) {
      const ran = await python(`def main():\n    ${body}`)
      expect(ran.ok ? 'ok' : ran.error).to.match(/MemoryError|too much memory|too long/)
    }
    expect((await python('def main():\n    return main()')).ok).to.equal(false)
    await stillWorks()
  })

  it('ends at once when the run is aborted', async () => {
    const stop = new AbortController()
    const running = sandbox.runPython('def main():\n    while True: pass', {}, 'app', stop.signal)
    setImmediate(() => stop.abort())
    expect(await running).to.deep.equal({ ok: false, error: 'the run has ended' })
  })

  it('keeps what code does to its modules from every other app', async () => {
    await python('import json\njson.dumps = lambda *a, **k: "{\\"stolen\\": 1}"\ndef main(): return {}', {}, 'spoiled')
    expect(await python('import json\ndef main(): return {"fine": json.dumps([1])}', {}, 'another app')).to.deep.equal({
      ok: true,
      value: { fine: '[1]' },
    })
  })

  it('gives every interpreter chances of its own', async () => {
    // Interpreters begin as copies of one; a copied seed would make every token that code draws the same.
    const code =
      'import random, secrets, uuid\ndef main():\n    return {"drawn": [random.random(), secrets.token_hex(8), str(uuid.uuid4())]}'
    const drawn = await Promise.all(['one', 'two'].map((appId) => python(code, {}, appId)))
    const values = drawn.flatMap((ran) => (ran.ok ? Object.values(ran.value as JsonObject).flat() : []))
    expect(values).to.have.length(6)
    expect(new Set(values)).to.have.length(6)
  })

  it('keeps no variable from one call to the next', async () => {
    const code = 'def main():\n    seen = "leak" in globals()\n    globals()["leak"] = 1\n    return {"seen": seen}'
    expect(await python(code)).to.deep.equal({ ok: true, value: { seen: false } })
    expect(await python(code)).to.deep.equal({ ok: true, value: { seen: false } })
  })

  // Ways from Python to the machine: each must come to nothing, whatever it says about it.
  describe('reaches nothing', () => {
    let server: Server
    let port: number
    let connections = 0
    before(async () => {
      server = createServer((_request, response) => response.end('reached'))
      server.on('connection', () => {
        connections += 1
      })
      await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
      port = (server.address() as AddressInfo).port // a TCP listener's address is never a path
    })
    after(() => server.close())

    const js = 'import pyodide_js\nmake = pyodide_js.constructor.constructor\n'
    const ways: Readonly<Record<string, string>> = {
      'the file system': 'import os\nfound = open("/etc/passwd").read()',
      processes: 'import subprocess\nfound = subprocess.run(["id"], capture_output=True).stdout.decode()',
      'os.system': 'import os\nfound = str(os.system("id")) if os.system("id") == 0 else None',
      'the environment': 'import os\nfound = os.environ.get("LATCHKEY_TEST_SECRET")',
      'names of JavaScript': 'import js\nfound = str(js.process)',
      run_js: 'from pyodide.code import run_js\nfound = str(run_js("process.pid"))',
      'a constructor chain': `${js}found = str(make("return process")())`,
      'the constructor chain of the file system': `import pyodide_js\nfound = str(pyodide_js.FS.open.constructor("return process")())`,
      'a mount of the real disk': `import pyodide_js, os
options = pyodide_js.constructor()
options.root = "/etc"
os.makedirs("/mnt", exist_ok=True)
pyodide_js.FS.mount(pyodide_js.FS.filesystems.NODEFS, options, "/mnt")
found = open("/mnt/passwd").read()`,
      'a mount by its own method':
        'import pyodide_js\npyodide_js.mountNodeFS("/host", "/etc")\nfound = open("/host/passwd").read()',
      'a socket': 'import socket\ns = socket.create_connection(("127.0.0.1", PORT), 2)\nfound = "connected"',
      'a web address':
        'import urllib.request\nfound = urllib.request.urlopen("http://127.0.0.1:PORT/", timeout=2).read().decode()',
      pyfetch: `import asyncio
from pyodide.http import pyfetch
asyncio.ensure_future(pyfetch("http://127.0.0.1:PORT/"))
found = None`,
      'a script that is loaded': `import pyodide_js
pyodide_js._api.loadScript("http://127.0.0.1:PORT/x.js") if hasattr(pyodide_js._api, "loadScript") else 0
found = None`,
      'a write to the server': `import pyodide_js
pyodide_js.mountNodeFS("/server", "FOLDER")
open("/server/planted", "w").write("x")
found = "written"`,
      'a package from an address': `import pyodide_js
pyodide_js.loadPackage("http://127.0.0.1:PORT/x-1.0-py3-none-any.whl")
found = None`,
      'an import of Node': `import pyodide_js
found = str(pyodide_js._module.require("child_process")) if hasattr(pyodide_js._module, "require") else None`,
      'its own internals': 'import pyodide_js\nfound = str(pyodide_js._api.runtimeEnv.process.pid)',
      'ctypes to a library': 'import ctypes\nfound = str(ctypes.CDLL("libc.so.6").getpid())',
    }
    for (const [way, code] of Object.entries(ways)) {
      it(`by way of ${way}`, async () => {
        const text = `${code.replaceAll('PORT', String(port)).replace('FOLDER', FOLDER)}\ndef main():\n    return {"found": found}`
        const ran = await python(text)
        expect(ran.ok ? ran.value : { found: null }).to.deep.equal({ found: null })
        await stillWorks()
        expect(connections).to.equal(0)
      })
    }
  })
})
