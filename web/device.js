// @ts-check
// Everything here only helps: sign-in, set-up and an account's approval work as well without it.

/**
 * What the page does. While it is `sending`, nothing else is sent; `unreachable` keeps what to send again.
 * @typedef {{ kind: 'idle' } | { kind: 'sending' } | { kind: 'unreachable', again: () => Promise<void> }} State
 * @typedef {{ path: string, body: URLSearchParams | null }} Sent
 * @typedef {Record<string, string | null | undefined>} Facts
 */

const ALPHABET = 'ABCDEFGHJKLMNPQRSTUVWXY3456789'
const LENGTH = 8
const API = '/openapi/v1/oauth/device'
/** On a slow network people wait longer than a server takes; then they want to be told. */
const PATIENCE_MS = 20_000
const LANG = document.documentElement.lang

/** @type {State} */
let state = { kind: 'idle' }
let renewed = false

/** RFC 8628 §5.4: a code in the address bar or the history is one that somebody else can read or share. */
function scrubAddress() {
  const address = new URL(window.location.href)
  const secrets = ['user_code', 'sso_verified', 'sso_error'].filter((name) => address.searchParams.has(name))
  if (secrets.length === 0) return
  for (const name of secrets) address.searchParams.delete(name)
  window.history.replaceState(null, '', address)
}

/**
 * What was typed or pasted, as the code is printed.
 * @param {string} typed
 */
function formatCode(typed) {
  const letters = [...typed.toUpperCase()].filter((letter) => ALPHABET.includes(letter)).slice(0, LENGTH)
  const half = LENGTH / 2
  return letters.length > half ? `${letters.slice(0, half).join('')}-${letters.slice(half).join('')}` : letters.join('')
}

/**
 * Formats the code while it is typed; Continue waits until it is complete.
 * @param {HTMLFormElement} form
 */
function helpWithCode(form) {
  const field = form.querySelector('input[name="user_code"]')
  const submit = form.querySelector('button[type="submit"]')
  if (!(field instanceof HTMLInputElement) || !(submit instanceof HTMLButtonElement)) return
  const update = () => {
    const before = field.value
    const caret = field.selectionStart ?? before.length
    const formatted = formatCode(before)
    if (formatted !== before) {
      const atEnd = caret === before.length
      field.value = formatted
      const place = atEnd ? formatted.length : Math.min(formatCode(before.slice(0, caret)).length, formatted.length)
      field.setSelectionRange(place, place)
    }
    submit.disabled = formatted.length !== LENGTH + 1
  }
  field.addEventListener('input', update)
  update()
}

/** @param {State} next */
function enter(next) {
  state = next
  const busy = next.kind === 'sending'
  document.getElementById('page')?.setAttribute('aria-busy', String(busy))
  const told = document.getElementById('working')
  if (told !== null) told.textContent = busy ? (told.dataset.text ?? '') : ''
}

/**
 * The view takes the page's place, and its heading the focus: a screen reader says where one is.
 * @param {Element} place
 * @param {Node} view
 */
function show(place, view) {
  // What this page brought for its endings is needed yet; another page brings its own.
  const kept = place === main() ? place.querySelectorAll(':scope > template') : []
  place.replaceChildren(view, ...kept)
  const heading = place.querySelector('h1')
  heading?.setAttribute('tabindex', '-1')
  heading?.focus()
  window.scrollTo(0, 0)
  begin()
}

const main = () => /** @type {HTMLElement} */ (document.getElementById('main')) // every page has one

/** @param {string} id */
function copyOf(id) {
  const template = document.getElementById(id)
  return template instanceof HTMLTemplateElement ? template.content.cloneNode(true) : new DocumentFragment()
}

/**
 * Does one thing at a time; where no answer comes, offers to do it again.
 * @param {() => Promise<void>} work
 */
async function attempt(work) {
  if (state.kind === 'sending') return
  enter({ kind: 'sending' })
  try {
    await work()
    enter({ kind: 'idle' })
  } catch {
    // Offline, too slow, or cut off on the way: to a person all of it is "no answer".
    show(main(), copyOf('unreachable'))
    enter({ kind: 'unreachable', again: () => attempt(work) })
  }
}

/**
 * Asks for a page and shows what came back, as if the browser had gone there.
 * @param {Sent} sent
 */
async function visit({ path, body }) {
  const response = await fetch(path, {
    ...(body === null ? {} : { method: 'POST', body }),
    headers: { Accept: 'text/html' },
    signal: AbortSignal.timeout(PATIENCE_MS),
  })
  const answered = new DOMParser().parseFromString(await response.text(), 'text/html')
  const place = document.getElementById('page')
  const next = answered.getElementById('page')
  // A proxy's own page is no answer of ours.
  if (place === null || next === null) throw new Error('no page')
  document.title = answered.title
  const at = new URL(response.url)
  window.history.replaceState(null, '', response.redirected || body === null ? at.pathname : window.location.href)
  place.dataset.renew = next.dataset.renew ?? ''
  const view = new DocumentFragment()
  view.append(...next.childNodes)
  show(place, view)
}

/** @param {SubmitEvent} event */
function onSubmit(event) {
  const form = event.target
  if (!(form instanceof HTMLFormElement)) return
  if ('ssoForm' in form.dataset) {
    event.preventDefault()
    void attempt(() => decideSso(event.submitter instanceof HTMLButtonElement && event.submitter.value === 'approve'))
    return
  }
  if ('live' in form.dataset) {
    event.preventDefault()
    const fields = new FormData(form, event.submitter)
    const body = new URLSearchParams([...fields].map(([name, value]) => [name, String(value)]))
    void attempt(() => visit({ path: form.action, body }))
    return
  }
  // A second press would spend a limit, or do again what is done.
  if (form.dataset.sent === 'yes') event.preventDefault()
  form.dataset.sent = 'yes'
}

/**
 * One tab renews at a time: a refresh token that two tabs show ends the sign-in. Where tabs cannot take turns, the
 * person signs in.
 * @param {string} path
 */
async function renew(path) {
  if (renewed || !('locks' in navigator)) return
  renewed = true
  const isSignedIn = await navigator.locks.request('renew', async () => {
    if ((await fetch('/console/api/account/profile')).ok) return true
    return (await fetch('/console/api/refresh-token', { method: 'POST' })).ok
  })
  if (isSignedIn) await attempt(() => visit({ path, body: null }))
}

/** @type {Facts} */
let grant = {}

/** Who has signed in with their company, and for which device. */
async function loadSso() {
  const response = await fetch(`${API}/approval-context`, { signal: AbortSignal.timeout(PATIENCE_MS) })
  const told = await response.json()
  if (!response.ok) return showOutcome(response.status, told.error)
  if (told.client_id === undefined) return showOutcome(409, 'user_code_not_pending')
  const place = document.getElementById('sso-consent')
  const browserIp = place?.dataset.browserIp
  const country = told.created_country
  grant = {
    csrf: told.csrf_token,
    userCode: told.user_code,
    email: told.subject_email,
    issuer: told.subject_issuer,
    deviceLabel: told.device_label,
    clientId: told.client_id,
    requestIp: told.created_ip,
    requestAgent: told.user_agent,
    browserIp,
    elsewhere: told.created_ip === browserIp ? null : 'yes',
    age: ageOf(Number(place?.dataset.now) - Date.parse(told.created_at)),
    country: country ? (new Intl.DisplayNames(LANG, { type: 'region' }).of(country) ?? country) : null,
  }
  show(main(), filled(copyOf('sso-consent'), grant))
}

/** @param {number} ms */
function ageOf(ms) {
  const minutes = Math.max(0, Math.floor(ms / 60_000))
  return new Intl.RelativeTimeFormat(LANG, { numeric: 'auto' }).format(-minutes, 'minute')
}

/** @param {boolean} isYes */
async function decideSso(isYes) {
  if (!isYes) return showOutcome(200, 'denied')
  const response = await fetch(`${API}/approve-external`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-CSRF-Token': grant.csrf ?? '' },
    body: JSON.stringify({ user_code: grant.userCode }),
    signal: AbortSignal.timeout(PATIENCE_MS),
  })
  const told = await response.json()
  showOutcome(response.status, response.ok ? 'approved' : told.error)
}

/**
 * The server's own words for an ending. A code that has none is never shown.
 * @param {number} status
 * @param {unknown} code
 */
function showOutcome(status, code) {
  const named = typeof code === 'string' && /^\w+$/.test(code) ? `template[data-outcome~="${code}"]` : ''
  const template =
    (named !== '' && status < 500 ? document.querySelector(named) : null) ??
    document.querySelector('template[data-outcome~="fault"]')
  if (!(template instanceof HTMLTemplateElement)) throw new Error('no view')
  const facts = code === 'approved' ? grant : {}
  const next = filled(template.content.cloneNode(true), facts)
  show(main(), next)
}

/**
 * Fills a view with text, never with markup, and drops what there is nothing to say about.
 * @param {Node} view
 * @param {Facts} facts
 */
function filled(view, facts) {
  const holder = document.createElement('div')
  holder.append(view)
  for (const part of holder.querySelectorAll('[data-if]')) {
    if (!facts[part.getAttribute('data-if') ?? '']) part.remove()
  }
  for (const part of holder.querySelectorAll('[data-fill]')) {
    part.textContent = facts[part.getAttribute('data-fill') ?? ''] ?? ''
  }
  return holder
}

/** Looks after the view that is there now. */
function begin() {
  for (const form of document.querySelectorAll('form[data-code-form]')) {
    if (form instanceof HTMLFormElement) helpWithCode(form)
  }
  const renewTo = document.getElementById('page')?.dataset.renew ?? ''
  if (renewTo !== '') void renew(renewTo)
}

scrubAddress()
begin()
if (document.getElementById('sso-consent') !== null) void attempt(loadSso)
document.addEventListener('submit', onSubmit)
document.addEventListener('click', ({ target }) => {
  if (!(target instanceof Element) || target.closest('[data-retry]') === null) return
  if (state.kind === 'unreachable') void state.again()
})
window.addEventListener('pageshow', ({ persisted }) => {
  // Back from another site: what stood here may have been decided since.
  if (persisted) window.location.reload()
})
