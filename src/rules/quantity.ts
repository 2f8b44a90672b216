const UNITS: Readonly<Record<string, number>> = {
  ...{ n: 1e-9, u: 1e-6, m: 1e-3, '': 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12 },
  ...{ Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40 },
}

/** The number behind a Kubernetes quantity such as `100m`, `0.5`, `128Mi` or `2`; undefined where it is none. */
export function parseQuantity(quantity: unknown): number | undefined {
  if (typeof quantity === 'number') return quantity
  if (typeof quantity !== 'string') return undefined
  const [, digits, exponent, unit] =
    /^(\d+(?:\.\d*)?|\.\d+)(?:[eE]([+-]?\d+)|([num]|[kMGT]i?|Ki)?)$/.exec(quantity) ?? []
  if (digits === undefined) return undefined
  const factor = exponent === undefined ? UNITS[unit ?? ''] : 10 ** Number(exponent)
  return factor === undefined ? undefined : Number(digits) * factor
}
