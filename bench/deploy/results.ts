import { execFileSync } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { availableParallelism, totalmem } from 'node:os'
import { join } from 'node:path'
import { markdownTable } from '../../src/report/markdown.ts'
import { drawChart, type Row } from '../chart.ts'
import { drawCurve } from './curve.ts'
import type { Verdict } from './failures.ts'
import {
  type Comparison,
  comparisonsOf,
  type Limit,
  limitsOf,
  type Measured,
  type Part,
  PARTS,
} from './outcomes.ts'
import { NAMES, type Setting, SIDES } from './sides.ts'

const RESULTS = 'bench/results'
const RAW = 'out/bench'

const EMPTY: Measured = {
  ...{ rounds: [], calls: [], objects: 0, verdicts: [], sizes: [] },
  ...{ loads: {}, dates: {} },
}

/**
 * Prints what was measured and keeps it as JSON and charts; a part that was not measured stays as it was, with its date. Returns
 * whether all that is promised is kept.
 */
export async function report(measured: Partial<Measured>, setting: Setting): Promise<boolean> {
  const now = { ...EMPTY, ...measured }
  const comparisons = comparisonsOf(now)
  const limits = limitsOf(now)
  show(comparisons, limits, now)
  const kept = await readKept()
  const all = {
    ...{ ...EMPTY, ...kept, ...measured },
    loads: { ...kept.loads, ...measured.loads },
    dates: { ...kept.dates, ...measured.dates },
  }
  if (PARTS.every((part) => all.dates[part] !== undefined)) await keep(all, setting)
  return [...comparisons, ...limits].every(({ kept }) => kept)
}

/** What was kept last; nothing where no run was. */
async function readKept(): Promise<Partial<Measured>> {
  const text = await readFile(join(RESULTS, 'deploy.json'), 'utf8').catch(() => '{}')
  const { rounds, calls, objects, verdicts, sizes, loads, dates } = JSON.parse(text) as Measured
  return { rounds, calls, objects, verdicts, sizes, loads, dates }
}

function show(
  comparisons: readonly Comparison[],
  limits: readonly Limit[],
  { verdicts, calls }: Measured,
): void {
  const rows = comparisons.map(({ name, sides, ratio, target, kept }) => [
    name,
    ...SIDES.map((side) => `${sides[side].median.toFixed(1)} s`),
    `${ratio.toFixed(2)} ×`,
    target === undefined ? '' : `≤ ${target} ×`,
    target === undefined ? '' : kept ? 'kept' : 'missed',
  ])
  if (rows.length > 0)
    say(markdownTable(['case', ...SIDES, 'ratio to the faster', 'promised', ''], rows))
  for (const { side, requests, watches } of calls)
    say(
      `${NAMES[side]}: ${requests} requests for the same release again, ${watches} of them watches`,
    )
  if (verdicts.length > 0) say(verdictTable(verdicts))
  for (const { name, value, unit, limit, kept } of limits)
    say(`${kept ? '✓' : '✗'} ${name}: ${value.toFixed(2)} ${unit} (at most ${limit} ${unit})`)
}

function verdictTable(verdicts: readonly Verdict[]): string {
  const names = [...new Set(verdicts.map(({ failure }) => failure))]
  const cell = (name: string, side: Verdict['side']) => {
    const found = verdicts.find((one) => one.failure === name && one.side === side)
    if (found === undefined) return ''
    const { seconds, isRight, isNamed } = found
    const what = isRight
      ? isNamed
        ? 'names the cause'
        : 'no cause'
      : 'wrong: says that it is good'
    return `${seconds.toFixed(1)} s, ${what}`
  }
  return markdownTable(
    ['failure', ...SIDES],
    names.map((name) => [name, ...SIDES.map((side) => cell(name, side))]),
  )
}

async function keep(measured: Measured, { programs }: Setting): Promise<void> {
  const at = new Date().toISOString()
  const version = (program: string, ...args: readonly string[]) =>
    execFileSync(program, args, { encoding: 'utf8' }).trim()
  const machine = {
    processors: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 1024 ** 3),
    node: process.version,
    kubectl: version(programs.kubectl, 'version', '--client').split('\n')[0],
    helm: version(programs.helm, 'version', '--short'),
    kwok: version(programs.kwok, '--version'),
  }
  const [comparisons, limits] = [comparisonsOf(measured), limitsOf(measured)]
  const result = { version: 1, at, machine, names: NAMES, comparisons, limits, ...measured }
  await mkdir(RESULTS, { recursive: true })
  const write = (name: string, text: string) => writeFile(join(RESULTS, name), text)
  await write('deploy.json', `${JSON.stringify(result, null, 2)}\n`)
  const dayOf = (part: Part) => measured.dates[part]?.slice(0, 10) ?? ''
  const foot = (part: Part) =>
    `${dayOf(part)}, ${machine.processors} processors; the mark is the target.`
  const rounds = measured.rounds.length
  await write(
    'deploy.svg',
    drawChart(
      'deploy, the five services of the stack',
      comparisons.flatMap(rowOf),
      `Medians of ${rounds} rounds in turn, ${foot('speed')}`,
    ),
  )
  await write(
    'deploy-failures.svg',
    drawChart(
      'deploy, start to a verdict on a seeded failure',
      verdictRows(measured),
      `Once each, ${foot('failures')}`,
    ),
  )
  await write('deploy-growth.svg', drawCurve(measured.sizes, dayOf('growth')))
}

function rowOf({ name, sides, faster, ratio, target }: Comparison): Row[] {
  if (target === undefined) return []
  const bar = (side: keyof typeof sides) => ({ name: NAMES[side], seconds: sides[side].median })
  return [{ name, ratio, target, ours: bar('ours'), peer: bar(faster) }]
}

/** Against the peer that was right sooner; where neither was right, that is said. */
function verdictRows({ verdicts }: Measured): readonly Row[] {
  return verdicts
    .filter(({ side }) => side === 'ours')
    .map((ours): Row => {
      const peers = verdicts.filter(
        ({ side, failure }) => side !== 'ours' && failure === ours.failure,
      )
      const right = peers.filter(({ isRight }) => isRight)
      const peer = (right.length > 0 ? right : peers).reduce((a, b) =>
        b.seconds < a.seconds ? b : a,
      )
      const name = `${NAMES[peer.side]}${peer.isRight ? '' : ' (wrong: says that it is good)'}`
      return {
        ...{ name: ours.failure, target: 0.1, ratio: ours.seconds / peer.seconds },
        ours: { name: NAMES.ours, seconds: ours.seconds },
        peer: { name, seconds: peer.seconds },
      }
    })
}

/** What is measured so far, for a look at a run that broke off. */
export async function keepRaw(measured: Partial<Measured>): Promise<void> {
  await mkdir(RAW, { recursive: true })
  await writeFile(join(RAW, 'deploy.json'), `${JSON.stringify(measured, null, 2)}\n`)
}

export function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
