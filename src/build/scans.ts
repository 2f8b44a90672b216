import { availableParallelism } from 'node:os'
import type { LayoutImage } from '../registry/layout.ts'
import type { ImageSet } from '../release/imageset.ts'
import { judge, type Judgement } from '../scan/judgement.ts'
import type { ScanPolicy } from '../scan/policy.ts'
import { type Database, type Scan, scanImage } from '../scan/scanner.ts'
import type { VexStatement } from '../scan/vex.ts'
import type { World } from '../world.ts'
import { readBaseline } from './baseline.ts'

/** A scanner for each processor, two at least since one waits for the disk, and not more than four: each takes some hundred megabytes. */
const SCANS_AT_ONCE = Math.min(Math.max(availableParallelism(), 2), 4)

/** Scans every image against one database, sorted by name. */
export async function scanAll(
  what: {
    readonly set: ImageSet
    readonly layouts: ReadonlyMap<string, LayoutImage>
    readonly database: Database
    readonly cacheFolder: string
  },
  world: World,
): Promise<readonly Scan[]> {
  const { layouts, database, cacheFolder } = what
  const waiting = Object.entries(what.set.images)
  const scans: Scan[] = []
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [name, { digest }] = next
      const target = { name, digest, layout: layouts.get(name), cacheFolder }
      const scan = await scanImage(target, database, world)
      world.progress.say(
        `${name}: ${scan.findings.length} findings${scan.cached ? ' (known bytes)' : ''}`,
      )
      scans.push(scan)
    }
  }
  await Promise.all(Array.from({ length: SCANS_AT_ONCE }, work))
  return scans.sort((a, b) => (a.image < b.image ? -1 : 1))
}

/** Applies the policy to all findings; what people should know about the policy is said. */
export async function judgeAll(
  scans: readonly Scan[],
  by: {
    readonly policy: ScanPolicy
    readonly vex: readonly VexStatement[]
    readonly baseline: string
    readonly scanCache: string
    readonly database: Database
  },
  world: World,
): Promise<Judgement> {
  const { policy, vex, baseline: release, scanCache: cacheFolder, database } = by
  const look = () => readBaseline(release, { database, cacheFolder }, world)
  const baseline =
    release === '' ? undefined : await world.progress.step('Look at what the baseline has', look)
  const judgement = judge(scans, policy, { vex, baseline })
  for (const note of judgement.notes) world.progress.warn(note)
  return judgement
}
