import { at } from '../../json.ts'
import type { KubeObject } from '../../render/manifest.ts'

/** How many pods each side has. */
export type Counts = { readonly canary: number; readonly stable: number }

/** What a workload may have more, and what it may lack, while it is replaced. */
export type Slack = { readonly surge: number; readonly unavailable: number }

/** The pods of one step, and the share of the requests that they really get. */
export type Fit = Counts & {
  /** Percent. */
  readonly weight: number
  /** Points between what was asked for and what is achieved. */
  readonly error: number
}

/** What the API server assumes where a Deployment says nothing. */
const DEFAULT_SHARE = '25%'

/**
 * The numbers of pods whose share of the requests is nearest to `weight` percent, within what the workload may have more and may lack.
 * Of equal ones, the one nearest to the number of replicas, then the one with the fewest new pods.
 */
export function bestFit(replicas: number, weight: number, { surge, unavailable }: Slack): Fit {
  const most = replicas + surge
  const least = Math.max(2, replicas - unavailable)
  const fits: Fit[] = []
  for (let total = least; total <= Math.max(most, least); total += 1)
    for (let canary = 1; canary < total; canary += 1) {
      const achieved = (100 * canary) / total
      fits.push({
        canary,
        stable: total - canary,
        weight: achieved,
        error: Math.abs(achieved - weight),
      })
    }
  const far = (fit: Fit) => Math.abs(fit.canary + fit.stable - replicas)
  const [best] = fits.toSorted(
    (a, b) => a.error - b.error || far(a) - far(b) || a.canary - b.canary,
  )
  // There are always two pods to share between.
  return best as Fit
}

/**
 * The steps from some counts to others: new pods as far as the surge allows, then old ones away as far as that leaves enough, and
 * again. Each is to be ready before the next.
 */
export function walk(
  from: Counts,
  to: Counts,
  limits: Slack & { readonly replicas: number },
): readonly Counts[] {
  const most = Math.max(limits.replicas + limits.surge, to.canary + to.stable)
  const least = Math.min(limits.replicas - limits.unavailable, to.canary + to.stable)
  const steps: Counts[] = []
  let now = from
  const go = (next: Counts) => {
    if (next.canary === now.canary && next.stable === now.stable) return
    now = next
    steps.push(now)
  }
  // Old pods that are missing come back first.
  if (now.stable < to.stable) go({ ...now, stable: to.stable })
  while (now.canary !== to.canary || now.stable !== to.stable) {
    const before = now
    const room = Math.max(now.canary, most - now.stable)
    go({ ...now, canary: to.canary < now.canary ? to.canary : Math.min(to.canary, room) })
    go({ ...now, stable: Math.min(now.stable, Math.max(to.stable, least - now.canary)) })
    // Neither more nor fewer are allowed: then there has to be one more for a moment.
    if (now === before) go({ ...now, canary: now.canary + 1 })
  }
  return steps
}

export function slackOf(deployment: KubeObject, replicas: number): Slack {
  const read = (key: string, round: (count: number) => number) => {
    const value = at(deployment, 'spec', 'strategy', 'rollingUpdate', key) ?? DEFAULT_SHARE
    if (typeof value === 'number') return value
    const percent = /^(\d+)%$/.exec(typeof value === 'string' ? value : '')?.[1] ?? '25'
    return round((Number(percent) * replicas) / 100)
  }
  // One pod can only be shared out with another beside it.
  return {
    surge: Math.max(1, read('maxSurge', Math.ceil)),
    unavailable: read('maxUnavailable', Math.floor),
  }
}
