import { fillTemplate, type VariablePool } from '../graph/variable-pool.ts'

/**
 * Lines `name:value`, in order and with repetitions. Cut into lines before variables are filled in, so that what a user
 * types cannot add a header; a line that is nothing but a variable is the author's list of lines.
 */
export function pairsOf(pool: VariablePool, text: string): readonly (readonly [name: string, value: string])[] {
  return text.split('\n').flatMap((line) => {
    if (/^\s*\{\{#[^{}#]+#\}\}\s*$/.test(line))
      return fillTemplate(pool, line)
        .split('\n')
        .flatMap((one) => pairOf(one))
    return pairOf(line, (part) => fillTemplate(pool, part))
  })
}

function pairOf(line: string, fill = (part: string) => part): readonly (readonly [string, string])[] {
  if (line.trim() === '') return []
  const colon = line.indexOf(':')
  const [name, value] = colon < 0 ? [line, ''] : [line.slice(0, colon), line.slice(colon + 1)]
  return [[oneLine(fill(name)), oneLine(fill(value))]]
}

function oneLine(text: string): string {
  return text.replaceAll(/[\r\n]+/g, ' ').trim()
}
