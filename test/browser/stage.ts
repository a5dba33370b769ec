import { openBrowser, type Tab, type TestBrowser } from '../support/browser.ts'
import { signIn } from '../support/page-views.ts'
import { aWorld, type World, type WorldOptions } from '../support/world.ts'

/** What a tab saw go wrong without anybody telling it. */
const WATCH = `
  window.seen = { shift: 0, refused: [] }
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.seen.shift += entry.value
  }).observe({ type: 'layout-shift', buffered: true })
  document.addEventListener('securitypolicyviolation', (event) => window.seen.refused.push(event.violatedDirective))
`

export type Seen = { readonly shift: number; readonly refused: readonly string[] }

/** What the page now in the tab shifted, and what its content policy refused. */
export async function seenIn({ page }: Tab): Promise<Seen> {
  return (await page.evaluate('window.seen')) as Seen // set by WATCH
}

/** A browser for a whole suite; a server and tabs for one test at a time. */
export function browserStage() {
  let browser: TestBrowser | null = null
  let world: World | null = null
  const tabs: Tab[] = []

  before(async () => {
    browser = await openBrowser()
  })
  after(() => browser?.close())
  afterEach(async () => {
    await Promise.all(tabs.splice(0).map(({ context }) => context.close()))
    await world?.close()
    world = null
  })

  const at = (): World => {
    if (world === null) throw new Error('no world is open')
    return world
  }
  async function tab(window: Parameters<TestBrowser['tab']>[0] = {}): Promise<Tab> {
    if (browser === null) throw new Error('no browser is open')
    const opened = await browser.tab(window)
    await opened.context.addInitScript(WATCH)
    tabs.push(opened)
    return opened
  }
  async function open(options: WorldOptions = {}, window: Parameters<TestBrowser['tab']>[0] = {}): Promise<Tab> {
    world = await aWorld({ trustedProxies: ['127.0.0.0/8'], ...options })
    return tab(window)
  }
  return {
    at,
    tab,
    open,
    /** A signed-in tab that looks at a pending code. */
    async consent(options: WorldOptions = {}, label = 'laptop') {
      const opened = await open(options)
      const flow = await at().startFlow(label)
      await signIn(opened, at(), `/device?user_code=${flow.userCode}`)
      await opened.page.getByRole('button', { name: 'Authorize' }).waitFor()
      return { ...opened, tab: opened, ...flow }
    },
    /** What the terminal hears: a refusal's name, or the type of the token it got. */
    async pollOf(deviceCode: string): Promise<string> {
      const json = { device_code: deviceCode, client_id: 'difyctl' }
      const reply = await at().post('/openapi/v1/oauth/device/token', { json })
      return reply.json.error ?? reply.json.token_type
    },
  }
}
