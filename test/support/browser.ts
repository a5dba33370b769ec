import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { AxeBuilder } from '@axe-core/playwright'
import { type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { services } from './services.ts'

const ARTIFACTS = join(import.meta.dirname, '../../artifacts')
// A container's root cannot sandbox Chromium; the rest keeps it from calling home.
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]
const STEP_TIMEOUT_MS = 10_000

/** A window of its own, with no cookie of any other. */
export type Tab = {
  readonly page: Page
  readonly context: BrowserContext
  /** What the console said beyond chatter, errors of scripts and refusals of the content policy included. */
  readonly complaints: readonly string[]
}

export type TestBrowser = {
  tab(options?: BrowserContextOptions): Promise<Tab>
  close(): Promise<void>
}

/** Debian's Chromium, headless. @throws Error where there is none: use `suiteFor('chromium')` */
export async function openBrowser(): Promise<TestBrowser> {
  if (services.chromium === null) throw new Error('no Chromium on this machine')
  const browser = await chromium.launch({ executablePath: services.chromium, args: FLAGS })
  return {
    async tab(options = {}) {
      const context = await browser.newContext(options)
      const page = await context.newPage()
      page.setDefaultTimeout(STEP_TIMEOUT_MS)
      const complaints: string[] = []
      page.on('console', (message) => {
        if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
      })
      page.on('pageerror', (error) => complaints.push(error.message))
      return { page, context, complaints }
    },
    close: () => browser.close(),
  }
}

/** What axe finds wrong with the page, each with the elements it means; by all of its rules unless some are named. */
export async function accessibilityFaults(page: Page, rules?: string[]): Promise<readonly string[]> {
  // Legacy mode sees no frames of other origins, of which we have none, and opens no window of its own to conclude.
  const axe = new AxeBuilder({ page }).setLegacyMode()
  const { violations } = await (rules === undefined ? axe : axe.withRules(rules)).analyze()
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`)
}

/** Keeps a picture of the whole page under `artifacts/`, which git ignores. */
export async function keepScreenshot(page: Page, name: string): Promise<void> {
  await mkdir(ARTIFACTS, { recursive: true })
  await page.screenshot({ path: join(ARTIFACTS, `${name}.png`), fullPage: true })
}
