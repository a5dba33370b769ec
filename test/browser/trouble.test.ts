import { expect } from 'chai'
import type { Page } from 'playwright-core'
import { signIn } from '../support/page-views.ts'
import { suiteFor } from '../support/services.ts'
import { OWNER } from '../support/world.ts'
import { browserStage, seenIn } from './stage.ts'

const MINUTE_MS = 60_000

suiteFor('chromium')('the pages when something goes wrong', function () {
  this.timeout(60_000)
  const stage = browserStage()
  const { open, at, tab: openTab, consent, pollOf } = stage
  const heading = (page: Page, name: string) => page.getByRole('heading', { level: 1, name }).waitFor()

  it('K07 offline, a code is kept, and Try again finds it once there is a network', async () => {
    const tab = await open()
    const { userCode } = await at().startFlow()
    await signIn(tab, at())
    await tab.context.setOffline(true)
    await tab.page.getByLabel('Code').fill(userCode)
    await tab.page.getByRole('button', { name: 'Continue' }).click()
    await heading(tab.page, 'Could not verify the code')
    await tab.page.getByRole('button', { name: 'Try again' }).click()
    await heading(tab.page, 'Could not verify the code')
    await tab.context.setOffline(false)
    await tab.page.getByRole('button', { name: 'Try again' }).click()
    await heading(tab.page, 'Let this device in?')
  })

  // The answer to an approval can be lost on the way back: trying again must not claim that nothing happened.
  it('K07 an approval whose answer is lost is told as decided when it is tried again', async () => {
    const { page, deviceCode } = await consent()
    await page.route('**/device/decide', async (route) => {
      await route.fetch({ maxRedirects: 0 })
      await route.abort()
    })
    await page.getByRole('button', { name: 'Authorize' }).click()
    await heading(page, 'Could not verify the code')
    await page.unroute('**/device/decide')
    await page.getByRole('button', { name: 'Try again' }).click()
    await heading(page, 'Code no longer valid')
    expect(await pollOf(deviceCode)).to.equal('Bearer')
  })

  it('K07 a proxy’s own error page is not shown as ours', async () => {
    const { page } = await consent()
    await page.route('**/device/decide', (route) => route.fulfill({ status: 502, body: '<h1>Bad gateway</h1>' }))
    await page.getByRole('button', { name: 'Deny' }).click()
    await heading(page, 'Could not verify the code')
    expect(await page.getByText('Bad gateway').count()).to.equal(0)
  })

  it('on a slow network the page says that it works, to screen readers too', async () => {
    const { page } = await consent()
    let answer = () => {}
    const answered = new Promise<void>((resolve) => {
      answer = resolve
    })
    await page.route('**/device/decide', async (route) => {
      await answered
      await route.continue()
    })
    await page.getByRole('button', { name: 'Authorize' }).click()
    await page.getByRole('status').filter({ hasText: 'One moment…' }).waitFor()
    answer()
    await heading(page, 'Your device is signed in')
    expect(await page.getByText('One moment…').count()).to.equal(0)
  })

  for (const [decision, ending] of [
    ['Authorize', 'Your device is signed in'],
    ['Deny', 'You turned the device away'],
  ] as const) {
    it(`back and forward after ${decision} never offer the decision again`, async () => {
      const { page } = await consent()
      await page.getByRole('button', { name: decision }).click()
      await heading(page, ending)
      await page.goBack()
      await page.waitForLoadState()
      expect(await page.getByRole('button', { name: 'Authorize' }).count()).to.equal(0)
      await page.goForward()
      await heading(page, 'Connect a device')
      expect(page.url()).to.equal(`${at().url}/device`)
    })
  }

  it('after a decision the heading has the focus, so that a screen reader says it', async () => {
    const { page } = await consent()
    await page.getByRole('button', { name: 'Deny' }).click()
    await heading(page, 'You turned the device away')
    expect(await page.evaluate('document.activeElement.textContent')).to.equal('You turned the device away')
  })

  it('of two tabs with one code the second hears that it is decided', async () => {
    const { page, context, userCode, deviceCode } = await consent()
    const second = await context.newPage()
    await second.goto(`${at().url}/device?user_code=${userCode}`)
    await page.getByRole('button', { name: 'Deny' }).click()
    await heading(page, 'You turned the device away')
    await second.getByRole('button', { name: 'Authorize' }).click()
    await heading(second, 'Code no longer valid')
    expect(await pollOf(deviceCode)).to.equal('access_denied')
  })

  it('K07 a session that ran out is renewed on the way, and the person comes back to the code', async () => {
    const tab = await open()
    await signIn(tab, at())
    at().clock.advance(61 * MINUTE_MS)
    const { userCode } = await at().startFlow()
    await tab.page.goto(`${at().url}/device?user_code=${userCode}`)
    await tab.page.getByRole('button', { name: 'Authorize' }).waitFor()
    expect(tab.page.url()).to.equal(`${at().url}/device`)
  })

  it('K07 a session that ran out between load and click decides nothing, and Sign in renews it', async () => {
    const { page, deviceCode } = await consent()
    at().clock.advance(61 * MINUTE_MS)
    const { userCode } = await at().startFlow('second')
    await page.evaluate(`document.querySelector('input[name="user_code"]').value = '${userCode}'`)
    await page.getByRole('button', { name: 'Authorize' }).click()
    await heading(page, 'This session is no longer valid')
    expect(await pollOf(deviceCode)).to.equal('expired_token')
    await page.getByRole('link', { name: 'Sign in' }).click()
    await page.getByText('second').waitFor()
    await page.getByRole('button', { name: 'Authorize' }).click()
    await heading(page, 'Your device is signed in')
  })

  // RFC 9700 §4.14.2: the second use of a refresh token ends the sign-in, so tabs must not race for it.
  it('three tabs that wake up together renew one session, and nobody is signed out', async () => {
    const tab = await open()
    await signIn(tab, at())
    at().clock.advance(61 * MINUTE_MS)
    const pages = [tab.page, await tab.context.newPage(), await tab.context.newPage()]
    await Promise.all(pages.map((page) => page.goto(`${at().url}/device/sessions`)))
    await Promise.all(pages.map((page) => page.getByRole('heading', { name: 'Your terminals' }).waitFor()))
    await tab.page.reload()
    await heading(tab.page, 'Your terminals')
  })

  it('a sign-in that was ended elsewhere is not renewed', async () => {
    const tab = await open()
    await signIn(tab, at())
    await at().cases.changeAccount(OWNER.email, 'ban')
    at().clock.advance(61 * MINUTE_MS)
    await tab.page.goto(`${at().url}/device/sessions`)
    await heading(tab.page, 'Sign in')
    expect(await tab.page.getByLabel('Password').isVisible()).to.equal(true)
  })

  const hostile: readonly string[] = [
    `/device?user_code=${encodeURIComponent('"><img src=x onerror=alert(1)>zz9')}`,
    `/device?user_code=${encodeURIComponent('javascript:alert(1)//zz9')}`,
    `/device?user_code=${encodeURIComponent('../../zz9')}`,
    `/device?sso_error=${encodeURIComponent('<b>zz9</b>')}`,
    '/device?sso_error=__proto__&zz9',
    '/device?sso_error=constructor&sso_verified=zz9',
    `/signin?return_to=${encodeURIComponent('https://evil.test/zz9')}`,
    `/signin?return_to=${encodeURIComponent('//evil.test/zz9')}`,
    `/signin?return_to=${encodeURIComponent('/device/sessions/../../zz9')}&user_code=zz9`,
  ]
  it('hostile addresses are neither shown nor followed, and no script of theirs runs', async () => {
    const tab = await open()
    const { page } = tab
    page.on('dialog', (dialog) => expect.fail(`a dialog: ${dialog.message()}`))
    for (const path of hostile) {
      await page.goto(at().url + path)
      expect(await page.content(), path).not.to.contain('zz9')
      const { refused } = await seenIn(tab)
      expect(refused, path).to.deep.equal([])
      if (!path.startsWith('/signin')) continue
      await page.locator('#email').fill(OWNER.email)
      await page.locator('#password').fill(OWNER.password)
      await page.locator('main button[type="submit"]').click()
      await page.waitForURL(`${at().url}/device`)
      await tab.context.clearCookies()
    }
  })

  // Clickjacking: a page that shows ours under its own buttons.
  it('another site cannot frame the consent page', async () => {
    const { page, userCode } = await consent()
    const frame = `<iframe src="${at().url}/device?user_code=${userCode}"></iframe>`
    await page.route('http://evil.test/', (route) => route.fulfill({ contentType: 'text/html', body: frame }))
    await page.goto('http://evil.test/')
    const inside = page.frames().at(1)
    expect(inside?.url()).to.match(/^chrome-error:/)
    expect(await inside?.getByRole('button', { name: 'Authorize' }).count()).to.equal(0)
  })

  it('all other terminals are signed out after a question, and the kept one works on', async () => {
    const tab = await open()
    const kept = await at().login({ label: 'kept' })
    const gone = await at().login({ label: 'gone' })
    await signIn(tab, at(), '/device/sessions')
    await tab.page.getByText('Sign out the others…').click()
    await tab.page.getByRole('radio', { name: 'kept' }).check()
    await tab.page.getByRole('button', { name: 'Sign out all others' }).click()
    await tab.page.getByRole('heading', { name: 'gone' }).waitFor({ state: 'detached' })
    expect(await tab.page.getByRole('heading', { level: 2 }).allTextContents()).to.deep.equal(['kept'])
    const account = async (token: string) => (await at().get('/openapi/v1/account', { token })).status
    expect([await account(kept.token), await account(gone.token)]).to.deep.equal([200, 401])
  })

  it('the whole of it by keyboard: sign in, type the code, deny', async () => {
    const tab = await open()
    const { userCode, deviceCode } = await at().startFlow()
    const { page } = tab
    await page.goto(`${at().url}/device?user_code=${userCode}`)
    const reach = async (name: string) => {
      const target = page.getByRole('main').getByText(name, { exact: true })
      await target.waitFor()
      const isFocused = () => target.evaluate((element) => element.matches(':focus-visible'))
      for (let presses = 0; presses < 20 && !(await isFocused()); presses += 1) await page.keyboard.press('Tab')
      expect(await isFocused(), name).to.equal(true)
      await page.keyboard.press('Enter')
    }
    await reach('Sign in with your account')
    await page.getByLabel('Email').focus()
    await page.keyboard.type(OWNER.email)
    await page.keyboard.press('Tab')
    await page.keyboard.type(OWNER.password)
    await page.keyboard.press('Enter')
    await reach('Deny')
    await heading(page, 'You turned the device away')
    expect(await pollOf(deviceCode)).to.equal('access_denied')
  })

  it('a visitor who reads Chinese is served in it, and told so', async () => {
    await open()
    const tab = await openTab({ locale: 'zh-CN' })
    await tab.page.goto(`${at().url}/device`)
    expect(await tab.page.evaluate('document.documentElement.lang')).to.equal('zh-Hans')
    await heading(tab.page, '连接设备')
  })
})
