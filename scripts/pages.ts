import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { openBrowser, type Tab } from '../test/support/browser.ts'
import { type PageView, pageViews } from '../test/support/page-views.ts'

const FOLDER = join(import.meta.dirname, '../docs/pages')
const WIDTHS = [360, 1280]

/** Writes a picture of every view, in both themes and at two widths, into `docs/pages/`. */
async function paint({ name, open }: PageView, shoot: (tab: Tab, name: string) => Promise<void>, tab: Tab) {
  const close = await open(tab)
  await shoot(tab, name)
  await close()
}

const only = process.argv.slice(2)
await mkdir(FOLDER, { recursive: true })
if (only.length === 0) {
  for (const name of await readdir(FOLDER)) if (name.endsWith('.png')) await rm(join(FOLDER, name))
}
const browser = await openBrowser()
for (const view of pageViews) {
  if (!view.painted) continue
  if (only.length > 0 && !only.includes(view.name)) continue
  for (const colorScheme of ['light', 'dark'] as const) {
    const tab = await browser.tab({
      viewport: { width: 1280, height: 900 },
      colorScheme,
      locale: 'en-GB',
      reducedMotion: 'reduce',
    })
    await paint(
      view,
      async ({ page }, name) => {
        for (const width of WIDTHS) {
          await page.setViewportSize({ width, height: width < 600 ? 740 : 900 })
          await page.screenshot({ path: join(FOLDER, `${name}.${colorScheme}.${width}.png`), fullPage: true })
        }
      },
      tab,
    )
    await tab.context.close()
  }
  console.log(view.name)
}
await browser.close()
