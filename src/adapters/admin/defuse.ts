/** C0, DEL, C1, and the marks that reorder or hide text: with them an app's name could repaint an operator's screen. */
const UNSAFE = /[\p{Cc}\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069]/gu

/**
 * One line for an operator's terminal, with nothing in it that a terminal acts upon. Marks are written as JSON writes
 * them, so that a line of JSON means the same.
 */
export function defuse(line: string): string {
  return line.replaceAll(UNSAFE, (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
