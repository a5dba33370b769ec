/** Compares for `toSorted`, smallest first. */
export function ascending<T extends string | number>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** Compares for `toSorted`, largest first. */
export function descending<T extends string | number>(a: T, b: T): number {
  return ascending(b, a)
}
