/** Enough to fill a line, few enough for a registry on a small machine. */
const AT_ONCE = 4

/** Does `work` for each item, a few at once. Throws the first failure, when those that were under way have ended. */
export async function doAtOnce<T>(
  items: readonly T[],
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  const waiting = [...items]
  const failures: unknown[] = []
  const go = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
      await work(next).catch((error: unknown) => {
        waiting.length = 0
        failures.push(error)
      })
  }
  await Promise.all(Array.from({ length: AT_ONCE }, go))
  if (failures.length > 0) throw failures[0]
}
