import { JSONRepairError, jsonrepair } from 'jsonrepair'

/** Mending goes back at every quote that is not closed: four times the text takes sixteen times as long, on everybody's thread. */
const MAX_CHARS = 40_000

/** Text that was meant as JSON, as JSON; undefined when it cannot be mended, or is too long for that. */
export function mendedJson(text: string): string | undefined {
  if (text.length > MAX_CHARS) return undefined
  try {
    return jsonrepair(text)
  } catch (error) {
    // Nesting that exhausts the stack is the author's doing as well.
    if (error instanceof JSONRepairError || error instanceof RangeError) return undefined
    throw error
  }
}
