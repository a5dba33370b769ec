import { storableText } from './sql.ts'

/** The pattern of `ilike … escape '!'` that finds `text` anywhere, taken literally. */
export function likePattern(text: string): string {
  return `%${storableText(text).replaceAll(/[!%_]/g, (letter) => `!${letter}`)}%`
}
