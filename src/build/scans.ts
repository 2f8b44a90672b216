import { counted } from '../counted.ts'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { UserError } from '../errors.ts'
import type { LayoutImage } from '../registry/layout.ts'
import { type PlatformImage, splitLayout } from '../registry/platforms.ts'
import { joinScans } from '../scan/joinscans.ts'
import { judge, type Judgement } from '../scan/judgement.ts'
import type { ScanPolicy } from '../scan/policy.ts'
import {
  type Database,
  ensureSbom,
  hasSbom,
  type Scan,
  scanImage,
  type ScanTarget,
} from '../scan/scanner.ts'
import { openUnpacked } from '../scan/unpacked.ts'
import type { VexStatement } from '../scan/vex.ts'
import type { World } from '../world.ts'
import { readBaseline } from './baseline.ts'

/** A scanner for each processor, and not more than four: each takes some hundred megabytes. */
export const SCANS_AT_ONCE = Math.min(availableParallelism(), 4)

/** An image by digest: with its bytes, or the images of its platforms whose SBOMs are known. */
export type ImageToScan = { readonly name: string; readonly digest: string } & (
  { readonly layout: LayoutImage } | { readonly platforms: readonly PlatformImage[] }
)

/** The scans of a run, each begun as soon as its image is there. */
export type Scans = {
  /** Begins to scan an image, unless these bytes of it are scanned already. */
  begin: (image: ImageToScan) => void
  /** Says how many images will be looked into: what does that is found, and checked, meanwhile, and leaves room for that many. */
  expect: (images: number) => void
  /** All of them, sorted by name. Throws where one of them failed. */
  all: () => Promise<readonly Scan[]>
}

/** Opens scans against one database, which is waited for only where an SBOM is to be matched with it. */
export function openScans(
  by: { readonly database: Promise<Database>; readonly cacheFolder: string },
  world: World,
): Scans {
  const scans = new Map<string, { readonly digest: string; readonly scan: Promise<Scan> }>()
  const inTurn = newTurns(SCANS_AT_ONCE)
  const unpacked = openUnpacked(join(world.workspace, 'unpacked'), world.signal)
  /** Images that are still to be looked into. */
  let left = 0
  const scanPlatform = async (target: ScanTarget): Promise<Scan> => {
    await inTurn(target.layout?.size ?? 0, async () => {
      const isKnown = await hasSbom(target.digest, target.cacheFolder)
      const layout = isKnown || !target.layout ? undefined : await unpacked.of(target.layout)
      await ensureSbom({ ...target, layout, processors: processorsOfEach(left) }, world)
      if (target.layout !== undefined) left -= 1
    })
    const database = await by.database
    return await inTurn(0, () => scanImage(target, database, world))
  }
  const scanOne = async (image: ImageToScan): Promise<Scan> => {
    const { name, digest } = image
    const platforms = await platformsOf(image, join(world.workspace, 'platforms'))
    if ('layout' in image) left += platforms.length - 1
    const [first, ...more] = await Promise.all(
      platforms.map((one) => scanPlatform({ ...one, name, cacheFolder: by.cacheFolder })),
    )
    if (first === undefined)
      throw new UserError(`${name} is an index of no image; nothing was published`)
    const scan = joinScans(digest, [first, ...more])
    const known = scan.cached ? ' (known bytes)' : ''
    world.progress.say(`${name}: ${counted(scan.findings.length, 'finding')}${known}`)
    return scan
  }
  return {
    begin: (image) => {
      const { name, digest } = image
      if (scans.get(name)?.digest === digest) return
      const scan = scanOne(image)
      scan.catch(() => undefined) // Told to those who ask for all.
      scans.set(name, { digest, scan })
    },
    expect: (images) => {
      left = images
      world.tools('syft').catch(() => undefined) // Told to those who begin a scan.
    },
    all: async () => {
      const done = await Promise.all([...scans.values()].map(({ scan }) => scan))
      await unpacked.remove()
      return done.sort((a, b) => (a.image < b.image ? -1 : 1))
    },
  }
}

type Platform = Pick<ScanTarget, 'digest' | 'layout'> & { readonly platform: string }

async function platformsOf(image: ImageToScan, folder: string): Promise<readonly Platform[]> {
  if ('platforms' in image)
    return image.platforms.map(({ platform, root: { digest } }) => ({
      platform,
      digest,
      layout: undefined,
    }))
  const parts = await splitLayout(image.layout, folder)
  return parts.map((part) => ({ ...part, digest: part.layout.root.digest }))
}

/**
 * How many processors each of so many scans uses; undefined: what it finds. Fewer threads of several scanners wait less for each other,
 * and the last one has nobody to wait for.
 */
function processorsOfEach(images: number): number | undefined {
  if (images < 2) return undefined
  return Math.max(Math.floor(availableParallelism() / Math.min(images, SCANS_AT_ONCE)), 1)
}

/**
 * Lets so many pieces of work be done at a time; of those that wait the longest is next, so that none is left to run alone in the end
 * (Graham's longest processing time first). `length` is in any unit.
 */
function newTurns(atOnce: number): <T>(length: number, work: () => Promise<T>) => Promise<T> {
  const waiting: { readonly length: number; readonly begin: () => void }[] = []
  let free = atOnce
  return async (length, work) => {
    if (free > 0) free -= 1
    else
      await new Promise<void>((begin) => {
        const place = waiting.findIndex((other) => other.length < length)
        waiting.splice(place < 0 ? waiting.length : place, 0, { length, begin })
      })
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next === undefined) free += 1
      else next.begin()
    }
  }
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
