import { readFile } from 'node:fs/promises'
import { relative } from 'node:path'
import type { Finding } from '../scan/findings.ts'
import type { HistoryEntry } from '../scan/history.ts'
import type { Scan } from '../scan/scanner.ts'
import { type BakePlan, dockerfileOf } from './bakeplan.ts'
import { type Instruction, instructions } from './dockerfile.ts'

/** Where a package comes into an image, as far as the image tells. */
export type Origin = {
  /** Path below the folder in which bake was started. */
  readonly file: string
  readonly line: number
  /** The instruction in that line. */
  readonly instruction: string
  /**
   * `base`: the image that is named there has it; `step`: this instruction put it in; `image`: somewhere in this image, nobody can say
   * where.
   */
  readonly by: 'base' | 'step' | 'image'
}

/** What is known about the instructions of one image. */
export type ImageOrigins = {
  readonly file: string
  /** The FROM that the image begins with. */
  readonly from: Instruction
  /** Layer → the instruction that made it; undefined where history and Dockerfile do not fit together. */
  readonly steps: ReadonlyMap<string, Instruction> | undefined
}

const FROM = /^FROM\s+(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?/i
const SHOWN_CHARACTERS = 160

/** Reads the Dockerfile of each image that was scanned; an image whose Dockerfile is not on this machine is left out. */
export async function readOrigins(
  scans: readonly Scan[],
  plan: BakePlan,
): Promise<ReadonlyMap<string, ImageOrigins>> {
  const found = new Map<string, ImageOrigins>()
  for (const { image, history } of scans) {
    const target = plan.targets.find(({ name }) => name === image)
    const path = target === undefined ? undefined : dockerfileOf(target, plan.folder)
    const text = path && (await readFile(path, 'utf8').catch(() => undefined))
    const stage = target?.resolved['target']
    const own = text && alignHistory(text, typeof stage === 'string' ? stage : '', history)
    if (path && own) found.set(image, { file: relative(plan.folder, path), ...own })
  }
  return found
}

/** Where a finding's package comes in; undefined where the Dockerfile is not known. */
export function originOf(finding: Finding, origins: ImageOrigins | undefined): Origin | undefined {
  if (origins === undefined) return undefined
  const { file, from, steps } = origins
  const at = (by: Origin['by'], { line, text }: Instruction) => ({
    file,
    line,
    instruction: text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text,
    by,
  })
  if (steps === undefined || finding.layer === '') return at('image', from)
  const step = steps.get(finding.layer)
  if (step === undefined) return at('base', from)
  // The list of all packages is in this layer, and says nothing about one package.
  return finding.layerIsLast ? at('image', from) : at('step', step)
}

/**
 * Lays the instructions of the last stage, and of those it is built on, beside the end of the image's history: BuildKit writes one entry
 * for each. The layers before them are those of the base.
 */
export function alignHistory(
  dockerfile: string,
  stage: string,
  history: readonly HistoryEntry[],
): Omit<ImageOrigins, 'file'> | undefined {
  const chain = chainOf(stage, stagesOf(dockerfile))
  const [first] = chain
  if (first === undefined) return undefined
  const own = chain.flatMap(({ body }) => body)
  const tail = history.slice(history.length - own.length)
  const fits =
    history.length >= own.length &&
    own.every(({ text }, index) => wordOf(text) === wordOf(tail[index]?.createdBy ?? ''))
  if (!fits) return { from: first.from, steps: undefined }
  const steps = own.flatMap((instruction, index): [string, Instruction][] => {
    const layer = tail[index]?.layer
    return layer === undefined ? [] : [[layer, instruction]]
  })
  return { from: first.from, steps: new Map(steps) }
}

type Stage = {
  readonly name: string
  readonly base: string
  readonly from: Instruction
  readonly body: readonly Instruction[]
}

function stagesOf(dockerfile: string): readonly Stage[] {
  const stages: { name: string; base: string; from: Instruction; body: Instruction[] }[] = []
  for (const instruction of instructions(dockerfile)) {
    const [, base, name = ''] = FROM.exec(instruction.text) ?? []
    if (base !== undefined)
      stages.push({ name: name.toLowerCase(), base, from: instruction, body: [] })
    else stages.at(-1)?.body.push(instruction)
  }
  return stages
}

/** The stage of this name (or the last one) and those it is built on, the one that begins with a base image first. */
function chainOf(name: string, stages: readonly Stage[]): readonly Stage[] {
  const index =
    name === ''
      ? stages.length - 1
      : stages.findLastIndex(
          (one, place) => one.name === name.toLowerCase() || String(place) === name,
        )
  const stage = stages[index]
  if (stage === undefined) return []
  // A stage is built on one above it, or on an image.
  return [...earlier(stage.base, stages.slice(0, index)), stage]
}

function earlier(base: string, stages: readonly Stage[]): readonly Stage[] {
  const isStage = stages.some(({ name }) => name === base.toLowerCase())
  return isStage ? chainOf(base, stages) : []
}

function wordOf(text: string): string {
  return /^[A-Za-z]+/.exec(text)?.[0].toUpperCase() ?? ''
}
