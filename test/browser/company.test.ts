import { expect } from 'chai'
import type { Page } from 'playwright-core'
import { comeBackFromProvider, startElsewhere, withSso } from '../support/page-views.ts'
import { suiteFor } from '../support/services.ts'
import { OWNER } from '../support/world.ts'
import { browserStage, seenIn } from './stage.ts'

suiteFor('chromium')('company sign-on in a real browser', function () {
  this.timeout(60_000)
  const { open, at, pollOf } = browserStage()
  const heading = (page: Page, name: string) => page.getByRole('heading', { level: 1, name }).waitFor()
  const start = async (label = 'laptop') => at().startFlow(label)

  it('K01 the chooser offers the company where it can be used, and nowhere else', async () => {
    const { page } = await open(withSso)
    const { userCode } = await start()
    await page.goto(`${at().url}/device?user_code=${userCode}`)
    const way = page.getByRole('link', { name: 'Sign in with your company' })
    expect(await way.getAttribute('href')).to.equal(`/openapi/v1/oauth/device/sso-initiate?user_code=${userCode}`)
  })

  it('K01 without a company’s provider there is only the account', async () => {
    const { page } = await open()
    const { userCode } = await start()
    await page.goto(`${at().url}/device?user_code=${userCode}`)
    expect(await page.getByRole('link', { name: 'Sign in with your company' }).count()).to.equal(0)
    await page.goto(`${at().url}/device?sso_verified=1`)
    await heading(page, 'Connect a device')
  })

  it('K08 a person of the company approves once; a second look finds the sign-on used up', async () => {
    const tab = await open(withSso)
    const { userCode, deviceCode } = await start()
    await comeBackFromProvider(tab, at(), userCode)
    const main = tab.page.getByRole('main')
    await main.getByText('eve@company.example').waitFor()
    const text = (await main.textContent()) ?? ''
    for (const shown of [userCode, 'laptop', 'difyctl', 'https://idp.company.example', '127.0.0.1', 'run apps']) {
      expect(text).to.contain(shown)
    }
    expect(text).not.to.contain('Asked from another address')
    expect(tab.page.url()).to.equal(`${at().url}/device`)
    await tab.page.getByRole('button', { name: 'Authorize' }).click()
    await heading(tab.page, 'Your device is signed in')
    await main.getByText('Terminal: laptop').waitFor()
    expect(await pollOf(deviceCode)).to.equal('Bearer')
    await tab.page.goto(`${at().url}/device?sso_verified=1`)
    await heading(tab.page, 'This session is no longer valid')
    expect((await seenIn(tab)).refused).to.deep.equal([])
  })

  it('K08 whatever code stands in the address, the one that was signed is shown', async () => {
    const tab = await open(withSso)
    const { userCode } = await start('mine')
    const other = await start('other')
    await comeBackFromProvider(tab, at(), userCode)
    await tab.page.goto(`${at().url}/device?sso_verified=1&user_code=${other.userCode}`)
    await tab.page.getByText('mine').waitFor()
    expect(await tab.page.content()).not.to.contain(other.userCode)
  })

  it('K05 a request from another address is warned of here too', async () => {
    const tab = await open(withSso)
    await comeBackFromProvider(tab, at(), await startElsewhere(at()))
    await tab.page.getByText('Asked from another address').waitFor()
    expect(await tab.page.getByRole('note').textContent()).to.contain('203.0.113.7')
  })

  // A label is the device's own text, and this view is filled by script.
  it('a label with markup stays text', async () => {
    const tab = await open(withSso)
    const label = '<img src=x onerror="document.title=1">'
    const { userCode } = await start(label)
    await comeBackFromProvider(tab, at(), userCode)
    await tab.page.getByText(label).waitFor()
    expect(await tab.page.locator('main img').count()).to.equal(0)
    expect((await seenIn(tab)).refused).to.deep.equal([])
  })

  it('K06 Deny lets nobody in', async () => {
    const tab = await open(withSso)
    const { userCode, deviceCode } = await start()
    await comeBackFromProvider(tab, at(), userCode)
    await tab.page.getByRole('button', { name: 'Deny' }).click()
    await heading(tab.page, 'You turned the device away')
    expect(await pollOf(deviceCode)).to.equal('authorization_pending')
  })

  it('K07 offline while approving: the same approval is tried again', async () => {
    const tab = await open(withSso)
    const { userCode, deviceCode } = await start()
    await comeBackFromProvider(tab, at(), userCode)
    await tab.page.getByRole('button', { name: 'Authorize' }).waitFor()
    await tab.context.setOffline(true)
    await tab.page.getByRole('button', { name: 'Authorize' }).click()
    await heading(tab.page, 'Could not verify the code')
    await tab.context.setOffline(false)
    await tab.page.getByRole('button', { name: 'Try again' }).click()
    await heading(tab.page, 'Your device is signed in')
    expect(await pollOf(deviceCode)).to.equal('Bearer')
  })

  it('K07 a code that was decided meanwhile is told', async () => {
    const tab = await open(withSso)
    const { userCode } = await start()
    await comeBackFromProvider(tab, at(), userCode)
    await tab.page.getByRole('button', { name: 'Authorize' }).waitFor()
    const { headers } = await at().signIn()
    await at().post('/openapi/v1/oauth/device/deny', { json: { user_code: userCode }, headers })
    await tab.page.getByRole('button', { name: 'Authorize' }).click()
    await heading(tab.page, 'Code no longer valid')
  })

  for (const [error, title] of [
    ['sso_failed', 'Your company’s sign-in did not work'],
    ['email_belongs_to_dify_account', 'Use your account here'],
    ['access_denied', 'Your company does not let you in'],
  ] as const) {
    it(`K01 ${error} has words of its own and leaves the address bar`, async () => {
      const { page } = await open(withSso)
      await page.goto(`${at().url}/device?sso_error=${error}`)
      await heading(page, title)
      expect(page.url()).to.equal(`${at().url}/device`)
      expect(await page.getByRole('main').textContent()).not.to.contain(error)
    })
  }

  it('the email of an account here leads to its sign-in', async () => {
    const { page } = await open(withSso)
    await page.goto(`${at().url}/device?sso_error=email_belongs_to_dify_account`)
    await page.getByRole('link', { name: 'Sign in' }).click()
    await page.getByLabel('Email').fill(OWNER.email)
    expect(page.url()).to.equal(`${at().url}/signin`)
  })
})
