/** The formats that endpoints refused, so that each refusal costs one request and no more. */
export type RefusedFormats = {
  has(format: string): boolean
  add(format: string): void
}

/** Some kilobytes: more models than one server asks, and schemas are refused rarely. */
const MAX_REMEMBERED = 1000

/** Forgets the oldest beyond `max`; all of it when the process ends, as endpoints learn. */
export function createRefusedFormats(max = MAX_REMEMBERED): RefusedFormats {
  const refused = new Set<string>()
  return {
    has: (format) => refused.has(format),
    add(format) {
      refused.delete(format)
      refused.add(format)
      for (const oldest of refused) {
        if (refused.size <= max) return
        refused.delete(oldest)
      }
    },
  }
}
