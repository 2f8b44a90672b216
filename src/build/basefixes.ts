import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isTimeout, messageOf } from '../errors.ts'
import { listAt, parseJson, textAt } from '../json.ts'
import { pullLayout } from '../registry/layout.ts'
import { type Finding, findingKey } from '../scan/findings.ts'
import { type Database, hasSbom, type Scan, scanImage } from '../scan/scanner.ts'
import type { World } from '../world.ts'
import type { BaseFacts, BaseState } from './basefacts.ts'
import type { Survey } from './survey.ts'

/** A base of an image, as it is reported. */
export type BaseOfImage = {
  readonly name: string
  readonly reference: string | undefined
  readonly created: Date | undefined
  /** Whole days since it was made. */
  readonly ageDays: number | undefined
  readonly newer:
    | {
        readonly reference: string
        readonly created: Date | undefined
        /** Findings of this image that it would not have on the newer base; undefined where nobody knows. */
        readonly fixes: number | undefined
      }
    | undefined
  /** Why something is not known, or an empty text. */
  readonly doubt: string
}

/** Both states of a base are fetched and scanned once, and known by digest from then on. */
const COMPARE_S = 300
const DAY_MS = 86_400_000

/**
 * What is to be said about the bases of each image. Where a tag leads to something newer than what was used, both are scanned with the
 * same database, and the findings of the image that only the older one has are counted. Never fails.
 */
export async function compareBases(
  what: {
    readonly survey: Survey
    readonly facts: ReadonlyMap<string, BaseFacts>
    readonly scans: readonly Scan[]
  },
  by: { readonly database: Database; readonly cacheFolder: string },
  world: World,
): Promise<ReadonlyMap<string, readonly BaseOfImage[]>> {
  const { survey, facts, scans } = what
  const signal = AbortSignal.any([world.signal, AbortSignal.timeout(COMPARE_S * 1000)])
  const scanner = scanStates(by, { ...world, signal })
  const found = new Map<string, readonly BaseOfImage[]>()
  for (const scan of scans) {
    const images = survey.sources.find(({ target }) => target.name === scan.image)?.images ?? []
    const bases: BaseOfImage[] = []
    for (const name of images) {
      const base = facts.get(name)
      if (base !== undefined) bases.push(await describeBase(base, { scan, scanner }, world))
    }
    found.set(scan.image, bases)
  }
  return found
}

type Scanner = (base: string, state: BaseState) => Promise<readonly Finding[]>

async function describeBase(
  base: BaseFacts,
  { scan, scanner }: { readonly scan: Scan; readonly scanner: Scanner },
  world: World,
): Promise<BaseOfImage> {
  const { name, reference, used, newer } = base
  const created = used?.created
  const ageDays = created && Math.floor((world.clock.now().getTime() - created.getTime()) / DAY_MS)
  const described = { name, reference, created, ageDays, newer: undefined, doubt: base.doubt }
  if (used === undefined || newer === undefined) return described
  const next = {
    reference: `${reference?.split('@')[0] ?? name}@${newer.digest}`,
    created: newer.created,
  }
  try {
    const fixes = await countFixes({ name, used, newer }, scan, scanner)
    return { ...described, newer: { ...next, fixes } }
  } catch (error) {
    world.signal.throwIfAborted()
    const why = isTimeout(error) ? `it took more than ${COMPARE_S} s` : messageOf(error)
    const doubt = `how many findings the newer ${name} would fix is not known: ${why}`
    return { ...described, newer: { ...next, fixes: undefined }, doubt }
  }
}

async function countFixes(
  base: { readonly name: string; readonly used: BaseState; readonly newer: BaseState },
  scan: Scan,
  scanner: Scanner,
): Promise<number> {
  if (scan.findings.length === 0 || !(await beginsWith(scan, base.used.layers))) return 0
  // The same package can be in the base and, at another place, in what is built on it.
  const placed = (finding: Finding) => `${findingKey(finding)} ${finding.location}`
  const before = new Set((await scanner(base.name, base.used)).map(placed))
  const inBase = scan.findings.filter((finding) => before.has(placed(finding)))
  if (inBase.length === 0) return 0
  const after = new Set((await scanner(base.name, base.newer)).map(findingKey))
  return inBase.filter((finding) => !after.has(findingKey(finding))).length
}

/** An image that only takes files from a base, or builds on one, has none of its findings. */
async function beginsWith(scan: Scan, layers: readonly string[]): Promise<boolean> {
  const [{ file }] = scan.sboms
  const sbom = parseJson(await readFile(file, 'utf8'), `the SBOM of ${scan.image}`)
  const own = listAt(sbom, 'source', 'metadata', 'layers').map((one) => textAt(one, 'digest'))
  return layers.length > 0 && layers.every((layer, index) => own[index] === layer)
}

/** Scans states of bases, each once. */
function scanStates(
  by: { readonly database: Database; readonly cacheFolder: string },
  world: World,
): Scanner {
  const known = new Map<string, Promise<readonly Finding[]>>()
  const scan = async (name: string, { image, repository }: BaseState) => {
    const isKnown = await hasSbom(image, by.cacheFolder)
    const folder = join(world.workspace, 'bases', image.replace(':', '-'))
    const layout = isKnown ? undefined : await pullLayout(image, repository, folder)
    const target = { name, digest: image, layout, cacheFolder: by.cacheFolder }
    const { findings } = await scanImage(target, by.database, world)
    return findings
  }
  return (name, state) => {
    const found = known.get(state.image) ?? scan(name, state)
    known.set(state.image, found)
    return found
  }
}
