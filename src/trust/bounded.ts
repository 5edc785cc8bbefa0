/** Many things at once, and never more than some of them. */

/** Keeps the order; the first failure ends it, so work that may fail returns its failure as a value. */
export async function mapBounded<In, Out>(
  items: readonly In[],
  limit: number,
  work: (item: In, index: number) => Promise<Out>,
): Promise<Out[]> {
  const results = new Map<number, Out>()
  const queue = items.entries()
  const worker = async () => {
    for (const [index, item] of queue) results.set(index, await work(item, index))
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker))
  return [...results].sort(([one], [other]) => one - other).map(([, result]) => result)
}
