/** The middle of `values`, and how far they lie apart. */
export type Spread = { readonly median: number; readonly min: number; readonly max: number }

/** @throws Error when there is nothing to summarise */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b)
  return { median: quantile(sorted, 0.5), min: quantile(sorted, 0), max: quantile(sorted, 1) }
}

/** The value below which `share` of the sorted values lie, between neighbours by proportion. */
export function quantile(sorted: readonly number[], share: number): number {
  const at = share * (sorted.length - 1)
  const low = sorted[Math.floor(at)]
  const high = sorted[Math.ceil(at)]
  if (low === undefined || high === undefined) throw new Error('no values to summarise')
  return low + (high - low) * (at - Math.floor(at))
}

/** `value` with `digits` places, as a number. */
export function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits))
}
