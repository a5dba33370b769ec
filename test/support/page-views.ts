import type { BrandSettings } from '#adapters/http/pages/brand.ts'
import { neverSetUp } from '../http/pages-visitor.ts'
import type { Tab } from './browser.ts'
import { aBridge } from './policy.ts'
import { aWorld, type World, type WorldOptions } from './world.ts'

/** One view of the pages, and how a browser gets to see it. */
export type PageView = {
  readonly name: string
  readonly heading: string
  /** The reader's language; English when absent. */
  readonly locale?: string
  /** False has tests but no picture: few machines that paint have a font for every language. */
  readonly painted: boolean
  /** Leaves the view in the tab; the answer closes the server. */
  readonly open: (tab: Tab) => Promise<() => Promise<void>>
}

const EVE = { email: 'eve@company.example', issuer: 'https://idp.company.example' }
const API = '/openapi/v1/oauth/device'

/** Headers of a terminal far away, believed because the tests' own address is a trusted proxy. */
const ELSEWHERE = { 'X-Forwarded-For': '203.0.113.7', 'User-Agent': 'difyctl/1.4.2 (linux; x64)' }

/** A server with company sign-on whose provider answers at once. */
export const withSso: WorldOptions = {
  settings: { consoleApiUrl: 'https://latchkey.example' },
  change: (ports) => ({ ...ports, bridge: aBridge() }),
}

/** Signs the tab in, without the detour over the form, which has tests of its own. */
export async function signIn({ page, context }: Tab, world: World, to = '/device'): Promise<void> {
  const { cookie } = await world.signIn()
  const cookies = cookie.split('; ').map((pair) => {
    const [, name = '', value = ''] = /^([^=]+)=(.*)$/.exec(pair) ?? []
    return { name, value, url: world.url }
  })
  await context.addCookies(cookies)
  await page.goto(world.url + to)
}

/** A terminal asks from somewhere else. */
export async function startElsewhere(world: World, label = 'build-machine'): Promise<string> {
  const json = { client_id: 'difyctl', device_label: label }
  const reply = await world.post(`${API}/code`, { json, headers: ELSEWHERE })
  return reply.json.user_code
}

/** The tab comes back from the company's provider as Eve. */
export async function comeBackFromProvider({ page }: Tab, world: World, userCode: string): Promise<void> {
  const sealed = await world.ports.sealer.sealAssertion({ ...EVE, userCode, nonce: `n-${userCode}` })
  await page.goto(`${world.url}${API}/sso-complete?sso_assertion=${encodeURIComponent(sealed)}`)
}

type Scene = (tab: Tab, world: World) => Promise<void>

function pageView(
  name: string,
  heading: string,
  scene: Scene,
  options: WorldOptions = {},
  how: { readonly locale?: string; readonly painted?: boolean } = {},
): PageView {
  return {
    name,
    heading,
    painted: true,
    ...how,
    async open(tab) {
      const world = await aWorld({ trustedProxies: ['127.0.0.0/8'], ...options })
      await scene(tab, world)
      // Words that a script brings come a moment after the page.
      await tab.page.getByRole('heading', { level: 1, name: heading, exact: true }).waitFor()
      return () => world.close()
    },
  }
}

const at =
  (path: string): Scene =>
  async ({ page }, world) =>
    void (await page.goto(world.url + path))

const consent: Scene = async (tab, world) => {
  await world.login({ label: 'build-machine' })
  const userCode = await startElsewhere(world)
  world.clock.advance(120_000)
  await signIn(tab, world, `/device?user_code=${userCode}`)
}

const endless: Scene = async (tab, world) => {
  const label = 'a-very-long-device-label-without-any-place-to-break-it'.repeat(3)
  await world.login({ label })
  await signIn(tab, world, `/device?user_code=${await startElsewhere(world, label)}`)
}

const decideAs =
  (decision: 'approve' | 'deny'): Scene =>
  async (tab, world) => {
    const { userCode } = await world.startFlow('build-machine')
    await signIn(tab, world, `/device?user_code=${userCode}`)
    await tab.page.locator(`button[value="${decision}"]`).click()
  }

const sessions: Scene = async (tab, world) => {
  for (const label of ['build-machine', 'Olive’s laptop', 'ci-runner']) {
    const { token } = await world.login({ label })
    if (label !== 'ci-runner') await world.get('/openapi/v1/account', { token })
    world.clock.advance(3_600_000)
  }
  await world.cases.tokenUsage.flush()
  await signIn(tab, world, '/device/sessions')
}

const sso: Scene = async (tab, world) => comeBackFromProvider(tab, world, await startElsewhere(world))

const BRAND: BrandSettings = {
  name: 'Acme AI',
  accent: '#5b21b6',
  logo: {
    type: 'image/svg+xml',
    bytes: Buffer.from(
      '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><circle cx="12" cy="12" r="12" fill="#5b21b6"/><path d="M6.5 17.5 12 6l5.5 11.5" fill="none" stroke="#fff" stroke-width="2.5"/></svg>',
    ),
  },
}

/** Every view, as people see it. */
export const pageViews: readonly PageView[] = [
  pageView('install', 'Set up Latchkey', at('/install'), { change: neverSetUp }),
  pageView('signin', 'Sign in', at('/signin?created=1')),
  pageView('code-entry', 'Connect a device', at('/device')),
  pageView(
    'chooser',
    'Sign in to go on',
    async (tab, world) => at(`/device?user_code=${await startElsewhere(world)}`)(tab, world),
    withSso,
  ),
  pageView('authorize-account', 'Let this device in?', consent, { countryOf: () => 'NL' }),
  pageView('authorize-sso', 'Let this device in?', sso, { ...withSso, countryOf: () => 'NL' }),
  pageView('success', 'Your device is signed in', decideAs('approve')),
  pageView('denied', 'You turned the device away', decideAs('deny')),
  pageView('error-expired', 'Code no longer valid', at('/device?user_code=AAAA-AAAA')),
  pageView('error-rate-limited', 'Too many attempts', async (tab, world) => {
    for (let n = 0; n < 60; n += 1) await world.get(`${API}/lookup?user_code=AAAA-AAAA`)
    await at('/device?user_code=AAAA-AAAA')(tab, world)
  }),
  pageView('error-lookup-failed', 'Could not verify the code', async (tab, world) => {
    const { userCode } = await world.startFlow()
    await at('/device')(tab, world)
    await tab.context.setOffline(true)
    await tab.page.locator('#user_code').fill(userCode)
    await tab.page.locator('#user_code').press('Enter')
  }),
  pageView('error-session', 'This session is no longer valid', async (tab, world) => {
    const { userCode } = await world.startFlow()
    await signIn(tab, world, `/device?user_code=${userCode}`)
    await tab.context.clearCookies()
    await tab.page.locator('button[value="approve"]').click()
  }),
  pageView('error-sso', 'Your company’s sign-in did not work', at('/device?sso_error=sso_failed')),
  pageView('sessions', 'Your terminals', sessions),
  pageView('sessions-confirm', 'Your terminals', async (tab, world) => {
    await sessions(tab, world)
    await tab.page.locator('summary').first().click()
    await tab.page.locator('summary').last().click()
  }),
  pageView('chinese', '允许此设备登录吗？', consent, { countryOf: () => 'NL' }, { locale: 'zh-CN', painted: false }),
  pageView('endless-label', 'Let this device in?', endless, {}, { painted: false }),
  pageView('branded', 'Let this device in?', consent, { brand: BRAND }),
]
