/** C0, DEL, C1, and the marks that reorder or hide text: with them a hostile app name could repaint the screen. */
const UNSAFE = /[\p{Cc}\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069]/gu
const UNSAFE_IN_JSON = /[\u007F-\u009F\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069]/g
const CONTROL_PICTURES = 0x2400
const DELETE_PICTURE = '\u2421'
const REPLACEMENT = '\uFFFD'

/** Server text for one line of a terminal: every control character becomes a visible picture of itself. */
export function printableLine(text: string): string {
  return text.replaceAll(UNSAFE, picture)
}

/** Server text of several lines: line feeds and tabs stay, a carriage return could overwrite its line and does not. */
export function printableText(text: string): string {
  return text
    .replaceAll('\r\n', '\n')
    .replaceAll(UNSAFE, (mark) => (mark === '\n' || mark === '\t' ? mark : picture(mark)))
}

/** JSON that means the same and holds nothing a terminal would act upon (`JSON.stringify` escapes C0 only). */
export function printableJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replaceAll(
    UNSAFE_IN_JSON,
    (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

function picture(mark: string): string {
  const code = mark.charCodeAt(0)
  if (code < 0x20) return String.fromCharCode(CONTROL_PICTURES + code)
  return code === 0x7f ? DELETE_PICTURE : REPLACEMENT
}
