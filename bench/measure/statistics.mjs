/** The value below which this share of an ascending list lies (nearest rank). */
export function percentile(sorted, share) {
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? NaN
}

/** The middle of the values; of an even number, the mean of the two in the middle. */
export function median(values) {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** Median with the least and the greatest value; null when something was not measured. */
export function summary(values) {
  if (values.some((value) => value === null || Number.isNaN(value))) return null
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) }
}
