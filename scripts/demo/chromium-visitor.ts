import { chromium } from 'playwright-core'
import { expectText } from './mismatch.ts'
import type { Visitor } from './visitor.ts'

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
const STEP_TIMEOUT_MS = 15_000

/** The pages in a real, headless browser. */
export async function openChromium(executablePath: string): Promise<Visitor> {
  const browser = await chromium.launch({ executablePath, args: FLAGS })
  const page = await browser.newPage()
  page.setDefaultTimeout(STEP_TIMEOUT_MS)
  const fill = async (path: string, fields: Readonly<Record<string, string>>) => {
    await page.goto(path)
    for (const [name, value] of Object.entries(fields)) await page.locator(`input[name="${name}"]`).fill(value)
    const left = page.waitForURL((url) => url.href !== path)
    await page.locator('main button[type="submit"], main form button').first().click()
    await left
  }
  return {
    means: `headless Chromium (${executablePath})`,
    install: (server, { email, name, password }) => fill(`${server}/install`, { email, name, password }),
    signIn: (server, { email, password }) => fill(`${server}/signin`, { email, password }),
    async approve(link, userCode) {
      await page.goto(link)
      const approve = page.locator('button[name="decision"][value="approve"]')
      const typed = page.locator('input[name="user_code"]:visible')
      await approve.or(typed).first().waitFor()
      if (!(await approve.isVisible())) {
        await typed.fill(userCode)
        await typed.press('Enter')
        await approve.waitFor()
      }
      expectText('the consent page', (await page.locator('main').textContent()) ?? '', userCode)
      await approve.click()
      await approve.waitFor({ state: 'hidden' })
    },
    close: () => browser.close(),
  }
}
