import { expect } from 'chai'
import type { Page } from 'playwright-core'
import { neverSetUp } from '../http/pages-visitor.ts'
import { keepScreenshot, openBrowser, type Tab, type TestBrowser } from '../support/browser.ts'
import { suiteFor } from '../support/services.ts'
import { aWorld, OWNER, type World, type WorldOptions } from '../support/world.ts'

suiteFor('chromium')('the pages in a real browser', function () {
  this.timeout(60_000)
  let browser: TestBrowser
  let world: World
  let tab: Tab
  before(async () => {
    browser = await openBrowser()
  })
  after(() => browser.close())
  afterEach(async () => {
    await tab.context.close()
    await world.close()
  })

  const open = async (how: WorldOptions = {}, window: Parameters<TestBrowser['tab']>[0] = {}): Promise<Page> => {
    world = await aWorld(how)
    tab = await browser.tab(window)
    return tab.page
  }
  const signIn = async (page: Page) => {
    await page.goto(`${world.url}/signin`)
    await page.getByLabel('Email').fill(OWNER.email)
    await page.getByLabel('Password').fill(OWNER.password)
    await page.getByRole('main').getByRole('button', { name: 'Sign in' }).click()
    await page.waitForURL(`${world.url}/device`)
  }
  const pollOf = async (deviceCode: string) => {
    const json = { device_code: deviceCode, client_id: 'difyctl' }
    const reply = await world.post('/openapi/v1/oauth/device/token', { json })
    return reply.json.error ?? reply.json.token_type
  }
  const heading = (page: Page) => page.getByRole('heading', { level: 1 }).textContent()

  const wholeLogin = async (page: Page, picture: string) => {
    const { userCode, deviceCode } = await world.startFlow('build-machine')
    await page.goto(world.url)
    expect(await heading(page)).to.equal('Set up Latchkey')
    await page.getByLabel('Email').fill(OWNER.email)
    await page.getByLabel('Your name').fill(OWNER.name)
    await page.getByLabel('Password').fill(OWNER.password)
    await page.getByRole('button', { name: 'Create account' }).click()
    await page.getByText('Your account is ready').waitFor()
    await page.getByLabel('Email').fill(OWNER.email)
    await page.getByLabel('Password').fill(OWNER.password)
    await page.getByRole('main').getByRole('button', { name: 'Sign in' }).click()
    await page.getByLabel('Code').fill(userCode)
    await page.getByRole('button', { name: 'Continue' }).click()
    await page.getByText('build-machine').waitFor()
    expect(await page.getByRole('main').textContent()).to.contain(userCode)
    await keepScreenshot(page, `${picture}-authorize`)
    expect(await pollOf(deviceCode)).to.equal('authorization_pending')
    await page.getByRole('button', { name: 'Authorize' }).click()
    await page.getByText('Go back to your terminal').waitFor()
    await keepScreenshot(page, `${picture}-done`)
    expect(await pollOf(deviceCode)).to.equal('Bearer')
    expect(tab.complaints).to.deep.equal([])
  }

  it('K01 K09 a person sets up, signs in, approves, and the terminal gets its token', async () => {
    await wholeLogin(await open({ change: neverSetUp }), 'login')
  })

  it('the same login works with scripts switched off', async () => {
    await wholeLogin(await open({ change: neverSetUp }, { javaScriptEnabled: false }), 'login-without-script')
  })

  it('K10 the whole decision is made by keyboard alone', async () => {
    const page = await open()
    await signIn(page)
    const { userCode, deviceCode } = await world.startFlow()
    await page.getByLabel('Code').focus()
    await page.keyboard.type(userCode.toLowerCase().replace('-', ''))
    await page.keyboard.press('Enter')
    const authorize = page.getByRole('button', { name: 'Authorize' })
    await authorize.waitFor()
    const isFocused = () => authorize.evaluate((button) => button.matches(':focus-visible'))
    for (let presses = 0; presses < 12 && !(await isFocused()); presses++) await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.getByText('Go back to your terminal').waitFor()
    expect(await pollOf(deviceCode)).to.equal('Bearer')
  })

  it('K06 deny → the terminal hears access_denied', async () => {
    const page = await open()
    await signIn(page)
    const { userCode, deviceCode } = await world.startFlow()
    await page.goto(`${world.url}/device?user_code=${userCode}`)
    await page.getByRole('button', { name: 'Deny' }).click()
    await page.getByText('It got no access').waitFor()
    expect(await pollOf(deviceCode)).to.equal('access_denied')
    expect(tab.complaints).to.deep.equal([])
  })

  it('K02 the code is gone from the address bar and the history after load', async () => {
    const page = await open()
    const { userCode } = await world.startFlow()
    await page.goto(`${world.url}/device?user_code=${userCode}&sso_error=x`)
    expect(page.url()).to.equal(`${world.url}/device`)
    expect(await heading(page)).to.equal('Sign in to go on')
    await page.goto(`${world.url}/signin`)
    await page.goBack()
    expect(page.url()).to.equal(`${world.url}/device`)
  })

  it('K04 from the chooser a person signs in and comes back to the code', async () => {
    const page = await open()
    const { userCode } = await world.startFlow()
    await page.goto(`${world.url}/device?user_code=${userCode}`)
    await page.getByRole('link', { name: 'Sign in with your account' }).click()
    await page.getByLabel('Email').fill(OWNER.email)
    await page.getByLabel('Password').fill(OWNER.password)
    await page.getByRole('main').getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('button', { name: 'Authorize' }).waitFor()
    expect(await page.getByRole('main').textContent()).to.contain(userCode)
    expect(page.url()).to.equal(`${world.url}/device`)
  })

  it('K03 the field keeps only letters of a code, and Continue waits until it is complete', async () => {
    const page = await open()
    await page.goto(`${world.url}/device`)
    const field = page.getByLabel('Code')
    const next = page.getByRole('button', { name: 'Continue' })
    expect(await next.isDisabled()).to.equal(true)
    await field.pressSequentially('wd0jb-1m')
    expect(await field.inputValue()).to.equal('WDJB-M')
    expect(await next.isDisabled()).to.equal(true)
    await field.pressSequentially('jhtXYW')
    expect(await field.inputValue()).to.equal('WDJB-MJHT')
    expect(await next.isDisabled()).to.equal(false)
    await field.press('Home')
    await field.press('Delete')
    expect(await field.inputValue()).to.equal('DJBM-JHT')
    expect(await next.isDisabled()).to.equal(true)
  })

  it('K03 a code is pasted as people copy it, spaces and all', async () => {
    const page = await open({}, { permissions: ['clipboard-read', 'clipboard-write'] })
    await page.goto(`${world.url}/device`)
    await page.evaluate("navigator.clipboard.writeText('  wdjb mjht\\n')")
    await page.getByLabel('Code').press('Control+V')
    expect(await page.getByLabel('Code').inputValue()).to.equal('WDJB-MJHT')
    expect(await page.getByRole('button', { name: 'Continue' }).isDisabled()).to.equal(false)
  })

  it('a decision is sent once, however often the button is pressed', async () => {
    const page = await open()
    await signIn(page)
    const { userCode } = await world.startFlow()
    await page.goto(`${world.url}/device?user_code=${userCode}`)
    let sent = 0
    let release = () => {}
    const pressedAgain = new Promise<void>((resolve) => {
      release = resolve
    })
    await page.route('**/device/decide', async (route) => {
      sent += 1
      await pressedAgain
      await route.continue().catch(() => 'a second press cancels the first request')
    })
    const authorize = page.getByRole('button', { name: 'Authorize' })
    await authorize.scrollIntoViewIfNeeded()
    const box = await authorize.boundingBox()
    if (box === null) throw new Error('the button is not visible')
    // The mouse itself: a locator would wait until the first press has led somewhere.
    const press = () => page.mouse.click(box.x + box.width / 2, box.y + box.height / 2)
    const arrived = page.waitForRequest('**/device/decide')
    await press()
    await arrived
    await press()
    release()
    await page.getByText('Go back to your terminal').waitFor()
    expect(sent).to.equal(1)
  })

  it('K11 a terminal is signed out on the sessions page', async () => {
    const page = await open()
    const { token } = await world.login({ label: 'build-machine' })
    await signIn(page)
    await page.getByRole('link', { name: 'Your terminals' }).click()
    await page.getByText('Sign out this terminal').click()
    expect((await world.get('/openapi/v1/account', { token })).status).to.equal(200)
    await page.getByRole('button', { name: 'Sign out “build-machine”' }).click()
    await page.getByText('No terminal is signed in').waitFor()
    expect((await world.get('/openapi/v1/account', { token })).status).to.equal(401)
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.waitForURL(`${world.url}/signin`)
    expect(tab.complaints).to.deep.equal([])
  })

  // The policy must bite in the browser, not only stand in a header.
  it('K09 a script that slipped into a page would not run', async () => {
    const page = await open()
    await page.goto(`${world.url}/device`)
    const add = "const s = document.createElement('script'); s.textContent = 'window.ran = 1'; document.body.append(s)"
    await page.evaluate(add)
    expect(await page.evaluate('window.ran')).to.equal(undefined)
    expect(tab.complaints.join()).to.contain('Content Security Policy')
  })
})
