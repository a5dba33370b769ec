import PostalMime from 'postal-mime'
import { htmlText } from './html-text.ts'

/** Text of a message (RFC 5322): who, when, about what, and what it says. */
export async function mailText(bytes: Uint8Array): Promise<string> {
  const mail = await PostalMime.parse(bytes)
  const people = (
    list: readonly { readonly name?: string | undefined; readonly address?: string | undefined }[] = [],
  ) => list.map(({ name = '', address = '' }) => (name === '' ? address : `${name} <${address}>`)).join(', ')
  const head = [
    ['From', mail.from === undefined ? '' : people([mail.from])],
    ['To', people(mail.to)],
    ['Date', mail.date ?? ''],
    ['Subject', mail.subject ?? ''],
  ].flatMap(([name, value]) => (value === '' ? [] : [`${name}: ${value}`]))
  const said = mail.text ?? htmlText(mail.html ?? '')
  return [head.join('\n'), said.trim()].filter((one) => one !== '').join('\n\n')
}
