// @ts-check
// Everything here only helps: each page works as well without it.

const ALPHABET = 'ABCDEFGHJKLMNPQRSTUVWXY3456789'
const LENGTH = 8

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

/**
 * A second press would spend a limit, or decide what is decided.
 * @param {SubmitEvent} event
 */
function submitOnce(event) {
  const form = event.target
  if (!(form instanceof HTMLFormElement)) return
  if (form.dataset.sent === 'yes') {
    event.preventDefault()
    return
  }
  form.dataset.sent = 'yes'
}

/** Back from the next page, a form must be usable again. */
function resetForms() {
  for (const form of document.forms) delete form.dataset.sent
}

scrubAddress()
for (const form of document.querySelectorAll('form[data-code-form]')) {
  if (form instanceof HTMLFormElement) helpWithCode(form)
}
document.addEventListener('submit', submitOnce)
window.addEventListener('pageshow', resetForms)
