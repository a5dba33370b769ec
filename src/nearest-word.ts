/** As many slips as still leave a word recognisable. */
const MAX_SLIPS = 2

/**
 * The one of `words` that `typed` is a slip away from, or null when it is none's. Of two as near, the longer: letters are
 * left out more often than added.
 */
export function nearestWord(typed: string, words: readonly string[]): string | null {
  const [nearest] = words
    .map((word) => ({ word, slips: slipsBetween(typed, word) }))
    .filter(({ word, slips }) => slips <= Math.min(MAX_SLIPS, word.length / 2))
    .toSorted((one, other) => one.slips - other.slips || other.word.length - one.word.length)
  return nearest?.word ?? null
}

/** Damerau and Levenshtein's distance, in which two letters that changed places are one slip. */
function slipsBetween(from: string, to: string): number {
  let [before, last]: [number[], number[]] = [[], Array.from({ length: to.length + 1 }, (_, at) => at)]
  for (let i = 1; i <= from.length; i++) {
    const row = [i]
    for (let j = 1; j <= to.length; j++) {
      const isSame = from[i - 1] === to[j - 1]
      const ways = [(row[j - 1] ?? 0) + 1, (last[j] ?? 0) + 1, (last[j - 1] ?? 0) + (isSame ? 0 : 1)]
      if (i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]) ways.push((before[j - 2] ?? 0) + 1)
      row.push(Math.min(...ways))
    }
    ;[before, last] = [last, row]
  }
  return last[to.length] ?? 0
}
