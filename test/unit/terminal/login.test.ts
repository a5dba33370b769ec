import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import {
  A_TOKEN,
  ANOTHER_TOKEN,
  aChallenge,
  aTokenReply,
  openTerminalWorld,
  type TerminalWorld,
} from '../../support/terminal-world.ts'

const refusal = (error: string, extra: Record<string, unknown> = {}) => ({ status: 400, json: { error, ...extra } })

describe('latchkey login', () => {
  let world: TerminalWorld
  beforeEach(async () => {
    world = await openTerminalWorld()
    world.api.on('POST /oauth/device/code', { json: aChallenge() })
  })
  afterEach(() => world.close())

  const tokenFile = async () => {
    const [name = ''] = await readdir(join(world.configDir, 'hosts'))
    return join(world.configDir, 'hosts', name)
  }

  it('shows the code and both URLs, waits the interval, and keeps the token readable by its owner only', async () => {
    world.api.on('POST /oauth/device/token', refusal('authorization_pending'), { json: aTokenReply() })
    const { code, stdout, stderr } = await world.latchkey(['login'])
    expect(code).to.equal(0)
    expect(stderr).to.include('A B C D - E F G H').and.include('http://127.0.0.1:5001/device ')
    expect(stderr).to.include('/device?user_code=ABCD-EFGH').and.include('    ABCD-EFGH\n')
    expect(stdout).to.include('as ada@example.com')
    expect(world.waitsS).to.deep.equal([5, 5])
    expect((await stat(await tokenFile())).mode & 0o777).to.equal(0o600)
    expect(await readFile(await tokenFile(), 'utf8')).to.include(A_TOKEN)
    expect(stdout + stderr).not.to.include(A_TOKEN)
  })

  it('names the client, the grant and a label of this install, the same at every login', async () => {
    world.api.on('POST /oauth/device/token', { json: aTokenReply() })
    await world.latchkey(['login'])
    await world.latchkey(['login'], { randomBytes: (count) => new Uint8Array(count).fill(7) })
    const [ask, poll, again] = world.api.heard
    expect(ask?.body).to.deep.equal({ client_id: 'latchkey', device_label: 'workbench #AAAA' })
    expect(poll?.body).to.deep.equal({
      client_id: 'latchkey',
      device_code: `dc_${'d'.repeat(32)}`,
      grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
    })
    expect(again?.body.device_label).to.equal('workbench #AAAA')
  })

  it('keeps one letter set when two first logins race', async () => {
    world.api.on('POST /oauth/device/token', { json: aTokenReply() })
    const draw = (byte: number) => ({ randomBytes: (count: number) => new Uint8Array(count).fill(byte) })
    await Promise.all([1, 2, 3, 4].map((byte) => world.latchkey(['login'], draw(byte))))
    const labels = world.api.heard.flatMap(({ body }) => body.device_label ?? [])
    expect(labels).to.have.length(4)
    expect(new Set(labels).size).to.equal(1)
  })

  it('cuts a host name the server would refuse', async () => {
    world.api.on('POST /oauth/device/token', { json: aTokenReply() })
    await world.latchkey(['login'], { hostname: `a\u0007${'b'.repeat(300)}` })
    const label = world.api.heard[0]?.body.device_label
    expect(label)
      .to.match(/^ab+ #AAAA$/)
      .and.have.length.below(256)
  })

  it('takes the interval a slow_down names, five seconds more when it names none, and keeps it', async () => {
    world.api.on(
      'POST /oauth/device/token',
      refusal('slow_down', { interval: 12 }),
      refusal('slow_down'),
      refusal('slow_down', { interval: 3 }),
      refusal('authorization_pending'),
      { json: aTokenReply() },
    )
    expect((await world.latchkey(['login'])).code).to.equal(0)
    expect(world.waitsS).to.deep.equal([5, 12, 17, 22, 22])
  })

  it('waits as long as Retry-After asks', async () => {
    world.api.on(
      'POST /oauth/device/token',
      { ...refusal('slow_down', { interval: 10 }), headers: { 'Retry-After': '20' } },
      { status: 429, json: {}, headers: { 'Retry-After': '40' } },
      { json: aTokenReply() },
    )
    expect((await world.latchkey(['login'])).code).to.equal(0)
    expect(world.waitsS).to.deep.equal([5, 20, 40])
  })

  it('outlives lost connections and 5xx answers with growing pauses, and says so', async () => {
    world.api.on(
      'POST /oauth/device/token',
      { ending: 'break', status: 200 },
      { status: 503, json: {} },
      { json: aTokenReply() },
    )
    const { code, stderr } = await world.latchkey(['login'])
    expect(code).to.equal(0)
    expect(world.waitsS).to.deep.equal([5, 10, 20])
    expect(stderr).to.include('could not reach').and.include('the server answered 503')
  })

  it('exits 4 when the person denies', async () => {
    world.api.on('POST /oauth/device/token', refusal('access_denied'))
    const { code, stderr } = await world.latchkey(['login'])
    expect(code).to.equal(4)
    expect(stderr).to.include('denied')
  })

  it('exits 4 when the server says the code expired', async () => {
    world.api.on('POST /oauth/device/token', refusal('expired_token'))
    expect((await world.latchkey(['login'])).code).to.equal(4)
  })

  it('asks once more at the end of the code, then exits 4', async () => {
    world.api.on('POST /oauth/device/code', { json: aChallenge({ expires_in: 12 }) })
    world.api.on('POST /oauth/device/token', refusal('authorization_pending'))
    expect((await world.latchkey(['login'])).code).to.equal(4)
    expect(world.waitsS).to.deep.equal([5, 5, 2])
  })

  it('stops at once on a refusal that waiting cannot cure', async () => {
    world.api.on('POST /oauth/device/token', refusal('unsupported_client', { message: 'unsupported_client' }))
    const { code, stderr } = await world.latchkey(['login'])
    expect([code, stderr.includes('unsupported_client')]).to.deep.equal([1, true])
    expect(world.waitsS).to.have.length(1)
  })

  it('exits 130 on Ctrl-C and keeps nothing', async () => {
    world.api.on('POST /oauth/device/token', refusal('authorization_pending'))
    const pressed = new AbortController()
    const sleep = async () => {
      pressed.abort()
      pressed.signal.throwIfAborted()
    }
    expect((await world.latchkey(['login'], { signal: pressed.signal, sleep })).code).to.equal(130)
    expect(await readdir(world.configDir)).to.deep.equal(['install.json'])
  })

  it('refuses to keep a token that is not of the known shape', async () => {
    // A server that answers `x\r\nEvil: 1` must not get it back as a header.
    world.api.on('POST /oauth/device/token', { json: aTokenReply({ access_token: 'x\r\nEvil: 1' }) })
    expect((await world.latchkey(['login'])).code).to.equal(1)
    expect(await readdir(world.configDir)).to.deep.equal(['install.json'])
  })

  it('replaces the token of a second login and keeps one file a host', async () => {
    world.api.on(
      'POST /oauth/device/token',
      { json: aTokenReply() },
      { json: aTokenReply({ access_token: ANOTHER_TOKEN }) },
    )
    await world.latchkey(['login'])
    await world.latchkey(['login'])
    expect(await readdir(join(world.configDir, 'hosts'))).to.have.length(1)
    expect(await readFile(await tokenFile(), 'utf8')).to.include(ANOTHER_TOKEN)
  })

  it('prints the code and the result as one JSON line each, without the token', async () => {
    world.api.on('POST /oauth/device/token', { json: aTokenReply() })
    const { stdout } = await world.latchkey(['login', '--json'])
    const events: { event: string }[] = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(events.map(({ event }) => event)).to.deep.equal(['code', 'signed_in'])
    expect(stdout).to.include('ABCD-EFGH').and.not.include(A_TOKEN)
  })

  it('draws the wait on a terminal and stays quiet elsewhere', async () => {
    world.api.on('POST /oauth/device/token', { json: aTokenReply() })
    const shown = await world.latchkey(['login'], { stderr: { isTTY: true, write: () => undefined } })
    expect(shown.stderr).to.include('Waiting for your approval, 15:00 left').and.include('⠙')
    expect((await world.latchkey(['login'])).stderr).not.to.include('\u001B')
  })

  it('defuses escape sequences in what the server calls a code or a URL', async () => {
    // Attack: a hostile server paints over the address that the person is about to trust.
    const hostile = { user_code: 'AB\u001B[2J', verification_uri: 'http://x\u001B]0;pwned\u0007/device' }
    world.api.on('POST /oauth/device/code', { json: aChallenge(hostile) })
    world.api.on('POST /oauth/device/token', refusal('access_denied'))
    const { stderr } = await world.latchkey(['login'])
    for (const mark of ['\u001B', '\u0007']) expect(stderr).not.to.include(mark)
  })

  it('says which file is damaged instead of crashing', async () => {
    await world.signedIn()
    await writeFile(await tokenFile(), '{"server":')
    const { code, stderr } = await world.latchkey(['whoami'])
    expect([code, stderr.includes('is damaged')]).to.deep.equal([1, true])
  })
})
