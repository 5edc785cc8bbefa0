/**
 * How a scheduler shares processors among demands that are larger: each gets what its weight allows, and what one leaves
 * over goes to the others (Xen's credit schedulers).
 */
export function share(demands: readonly number[], weights: readonly number[], capacity: number): number[] {
  const wanted = demands.reduce((sum, demand) => sum + demand, 0)
  if (wanted <= capacity) return [...demands]
  // The smallest demand for its weight is satisfied first; from the first that is not, all others get their share.
  const order = demands.map((_, index) => index).sort((one, other) => ratio(one) - ratio(other))
  const granted = demands.map(() => 0)
  let left = capacity
  let weightLeft = weights.reduce((sum, weight) => sum + weight, 0)
  for (const index of order) {
    const weight = weights[index] ?? 0
    const fair = weightLeft > 0 ? (left * weight) / weightLeft : 0
    const given = Math.min(demands[index] ?? 0, fair)
    granted[index] = given
    left -= given
    weightLeft -= weight
  }
  return granted

  function ratio(index: number): number {
    return (demands[index] ?? 0) / Math.max(weights[index] ?? 0, 1)
  }
}
