/** Frees what was opened, last first, also when something in between failed. */
const opened: (() => Promise<void> | void)[] = []

/** Keeps `thing` until `closeAll`. */
export function closeLater<T>(thing: T, close: (thing: T) => Promise<void> | void): T {
  opened.push(() => close(thing))
  return thing
}

export async function closeAll(): Promise<void> {
  for (const close of opened.splice(0).toReversed()) await close()
}
