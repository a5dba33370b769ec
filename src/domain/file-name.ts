/** Longest name that is kept, in characters. */
export const MAX_FILE_NAME = 200

const FALLBACK = 'file'

/**
 * A name as people may see it, and nothing more: never a path, no control or direction-changing characters, not too long;
 * the extension survives shortening. What leaves nothing is called `file`.
 */
export function cleanFileName(given: string): string {
  const last = given.toWellFormed().split(/[/\\]/).at(-1) ?? ''
  const plain = last
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\ufffd]/gu, '')
    .replaceAll(/\s+/g, ' ')
    .trim()
  // Dots in front hide a file, and alone they are directories; at the end some systems drop them.
  const name = withoutEnd(plain.replace(/^\.+/, ''))
  if (name === '') return FALLBACK
  const characters = [...name]
  if (characters.length <= MAX_FILE_NAME) return name
  const extension = extensionOf(name)
  const tail = extension === '' ? '' : `.${extension}`
  return characters.slice(0, MAX_FILE_NAME - tail.length).join('') + tail
}

/** Letter by letter: an expression that looks for them at the end tries every run of them anew. */
function withoutEnd(name: string): string {
  let to = name.length
  while (to > 0 && (name[to - 1] === '.' || name[to - 1] === ' ')) to--
  return name.slice(0, to)
}

/** What follows the last dot, in lower case and without it; "" when that is no extension. */
export function extensionOf(name: string): string {
  return /[^.]\.([a-z0-9]{1,16})$/i.exec(name)?.[1]?.toLowerCase() ?? ''
}
