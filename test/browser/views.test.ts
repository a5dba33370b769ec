import { expect } from 'chai'
import { accessibilityFaults } from '../support/browser.ts'
import { pageViews } from '../support/page-views.ts'
import { suiteFor } from '../support/services.ts'
import { browserStage, seenIn } from './stage.ts'

const MAX_FIRST_PAINT_BYTES = 15_000

/** What has to arrive before anything is painted, as it is sent: the page, its style and its logo. The script waits. */
const FIRST_PAINT = `performance.getEntries()
  .filter(({ entryType, initiatorType }) => entryType === 'navigation' || ['link', 'img'].includes(initiatorType))
  .reduce((sum, entry) => sum + entry.encodedBodySize, 0)`

suiteFor('chromium')('every view in a real browser', function () {
  this.timeout(60_000)
  const { tab: openTab } = browserStage()

  for (const { name, heading, locale, open } of pageViews) {
    it(`K01 K10 ${name}: its heading, light and dark, at 320 px, from right to left, without a shift`, async () => {
      const tab = await openTab({ viewport: { width: 320, height: 640 }, locale: locale ?? 'en-GB' })
      const { page } = tab
      const close = await open(tab)
      try {
        expect(await page.getByRole('heading', { level: 1 }).textContent()).to.equal(heading)
        expect(await page.getByRole('main').count()).to.equal(1)
        const { shift, refused } = await seenIn(tab)
        expect(refused).to.deep.equal([])
        expect(shift).to.be.lessThan(0.01)
        expect(await page.evaluate(FIRST_PAINT)).to.be.lessThan(MAX_FIRST_PAINT_BYTES)
        const faults: string[] = []
        const isWide = () => page.evaluate('document.documentElement.scrollWidth > 320')
        faults.push(...(await accessibilityFaults(page)))
        await page.emulateMedia({ colorScheme: 'dark' })
        // Only colours differ in the dark.
        faults.push(...(await accessibilityFaults(page, ['color-contrast'])).map((fault) => `dark: ${fault}`))
        if (await isWide()) faults.push('scrolls sideways')
        await page.evaluate("document.documentElement.dir = 'rtl'")
        if (await isWide()) faults.push('scrolls sideways from right to left')
        expect(faults).to.deep.equal([])
      } finally {
        await tab.context.setOffline(false)
        await close()
      }
    })
  }
})
