import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import type { Page } from 'playwright-core'
import { createPrograms, type Ended } from '../../scripts/demo/programs.ts'
import { keepScreenshot, openBrowser, type Tab, type TestBrowser } from '../support/browser.ts'
import { CLIENT } from '../support/oidc-double.ts'
import { type OidcProviderProcess, openOidcProvider } from '../support/oidc-provider-process.ts'
import { suiteFor } from '../support/services.ts'
import { OWNER } from '../support/world.ts'

const EXAMPLES = join(import.meta.dirname, '../../examples')
const EVE = 'eve@company.example'
const REFUSED_EXIT = 4

suiteFor('chromium')('signing in with a company, from terminal to provider and back', function () {
  this.timeout(120_000)
  let home: string
  let origin: string
  let provider: OidcProviderProcess
  let programs: ReturnType<typeof createPrograms>
  let browser: TestBrowser
  let tab: Tab

  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'latchkey-sso-'))
    const port = await aFreePort()
    origin = `http://127.0.0.1:${port}`
    provider = await openOidcProvider(origin)
    const env = {
      PORT: String(port),
      CONSOLE_API_URL: origin,
      DATA_DIR: join(home, 'data'),
      XDG_CONFIG_HOME: join(home, 'config'),
      MODEL_BASE_URL: 'scripted:',
      LOG_LEVEL: 'warn',
      ENTERPRISE_ENABLED: 'true',
      SSO_OIDC_ISSUER: provider.issuer,
      SSO_OIDC_CLIENT_ID: CLIENT.clientId,
      SSO_OIDC_CLIENT_SECRET: CLIENT.clientSecret,
    }
    programs = createPrograms(home, env, () => {})
    await programs.start(['serve']).said(/serves at (http:\S+)/)
    const setUp = await fetch(`${origin}/console/api/setup`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(OWNER),
    })
    expect(setUp.status).to.equal(201)
    for (const file of ['greeting-workflow.yml', 'assistant-chat.yml'])
      await done(['app', 'import', join(EXAMPLES, file)])
    await done(['app', 'access', 'Greeting', '--mode', 'private', '--grant', 'group:staff'])
    await done(['app', 'access', 'Assistant', '--mode', 'private', '--grant', '@elsewhere.example'])
    browser = await openBrowser()
  })
  after(async () => {
    await browser?.close()
    await programs?.stopAll()
    await provider?.close()
    await rm(home, { recursive: true, force: true })
  })
  beforeEach(async () => {
    tab = await browser.tab()
  })
  afterEach(() => tab.context.close())

  const latchkey = (...words: string[]): Promise<Ended> => programs.start(words).ended
  const done = async (words: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await latchkey(...words)
    expect(code, `latchkey ${words.join(' ')}: ${stdout}${stderr}`).to.equal(0)
    return stdout + stderr
  }

  /** From the page that the terminal names to where the provider sends the browser back to. */
  async function goToProvider(page: Page, link: string, login: string): Promise<void> {
    await page.goto(link)
    await page.getByRole('link', { name: 'Sign in with your company' }).click()
    await page.waitForURL(`${provider.issuer}/**`)
    await page.locator('[name=login]').fill(login)
    await page.locator('[name=password]').fill('any')
    await page.getByRole('button', { name: 'Sign-in' }).click()
    await page.getByRole('button', { name: 'Continue' }).click()
    await page.waitForURL(`${origin}/device**`)
  }

  async function signOn(email: string): Promise<Ended> {
    const login = programs.start(['login', '--host', origin])
    const { page } = tab
    await goToProvider(page, await login.said(/or open (\S+) and/), email)
    await page.getByRole('main').getByText(email).waitFor()
    expect(await page.getByRole('main').textContent()).to.contain(await login.said(/^ {4}([A-Z0-9]{4}-[A-Z0-9]{4})$/m))
    await keepScreenshot(page, 'sso-consent')
    // The provider's own pages have faults of their own.
    const before = tab.complaints.length
    await page.getByRole('button', { name: 'Authorize' }).click()
    await page.getByText('Go back to your terminal').waitFor()
    expect(tab.complaints.slice(before)).to.deep.equal([])
    return login.ended
  }

  it('F12 a person without an account signs on, runs what the company lets them, and is shut out', async () => {
    const { code, stdout, stderr } = await signOn(EVE)
    expect(code, stdout + stderr).to.equal(0)
    expect(stdout).to.contain(EVE)
    const whoami = await done(['whoami'])
    expect(whoami).to.contain(EVE).and.contain(provider.issuer)
    const apps = await done(['apps'])
    expect(apps).to.contain('Greeting').and.not.contain('Assistant')
    expect(await done(['run', 'Greeting', '--input', 'name=Eve', '--input', 'tone=formal'])).to.contain(
      'Good day, Eve.',
    )

    expect(await done(['external', 'block', EVE])).to.contain('1')
    expect((await latchkey('whoami')).code).to.equal(REFUSED_EXIT)
    const login = programs.start(['login', '--host', origin])
    await tab.context.clearCookies()
    await goToProvider(tab.page, await login.said(/or open (\S+) and/), EVE)
    expect(new URL(tab.page.url()).search).not.to.contain('sso_verified')
    await tab.page.getByText('Your company does not let you in').waitFor()
    await login.stop()
    await done(['external', 'unblock', EVE])
  })

  it('F12 whoever signs out at the provider is signed out of the terminal', async () => {
    const { code, stdout, stderr } = await signOn('sue@company.example')
    expect(code, stdout + stderr).to.equal(0)
    await done(['whoami'])
    await tab.page.goto(`${provider.issuer}/session/end`)
    await tab.page.getByRole('button', { name: 'Yes, sign me out' }).click()
    await tab.page.waitForURL(`${provider.issuer}/session/end/success**`)
    expect((await latchkey('whoami')).code).to.equal(REFUSED_EXIT)
  })

  for (const [why, login] of [
    ['an email that nobody has verified', 'unverified@company.example'],
    ['no email', 'eve'],
    ['a claim of a megabyte', 'megabyte@company.example'],
  ] as const) {
    it(`F12 a person with ${why} is told that it did not work, and approves nothing`, async () => {
      const terminal = programs.start(['login', '--host', origin])
      await goToProvider(tab.page, await terminal.said(/or open (\S+) and/), login)
      await tab.page.getByText('Your company’s sign-in did not work').waitFor()
      expect((await tab.context.cookies()).map(({ name }) => name)).not.to.include('device_approval_grant')
      await terminal.stop()
    })
  }
})

/** Both sides have to know the other's address before they start. */
async function aFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // a TCP listener's address is never a path
  server.close()
  await once(server, 'close')
  return port
}
