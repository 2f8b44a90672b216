// `npm run bench:build`: build-images against bake and grype, side by side on this machine.
import { execFileSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { availableParallelism, totalmem } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ensure } from '../lab/lab.ts'
import { messageOf } from '../src/errors.ts'
import { parseJson, textAt } from '../src/json.ts'
import { markdownTable } from '../src/report/markdown.ts'
import { pinnedTools } from '../src/tools/install.ts'
import { openColdBuilder } from './builder.ts'
import { buildCases, type Case, scanCases } from './cases.ts'
import { drawChart } from './chart.ts'
import { type Figure, measureFigures } from './figures.ts'
import { loadNow, measurePairs, type Pair, type Spread, spreadOf, type Step } from './measure.ts'
import type { Setting } from './sides.ts'
import { openWorkplace } from './workplace.ts'

const RESULTS = 'bench/results'
const WORTH_SAYING_S = 0.3
const USAGE = 'npm run bench:build -- [--rounds 3] [--only "name,name"] [--built]'

type Outcome = {
  readonly name: string
  readonly what: string
  readonly ours: { readonly name: string; readonly seconds: Spread }
  readonly peer: { readonly name: string; readonly seconds: Spread }
  readonly ratios: readonly number[]
  /** Their median. */
  readonly ratio: number
  readonly target: number
  readonly kept: boolean
  /** Where the time went in the last run of ours. */
  readonly steps: readonly Step[]
  /** Load of the machine when it began, which counts what others do. */
  readonly load: number
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '3' },
      only: { type: 'string', default: '' },
      built: { type: 'boolean', default: false },
    },
  })
  const rounds = Number(values.rounds)
  if (!(rounds >= 1)) throw new Error(`--rounds is "${values.rounds}"; ${USAGE}`)
  const wanted = values.only.split(',').filter((name) => name !== '')
  const lab = await ensure(['engine', 'registry', 'builder', 'scan'])
  Object.assign(process.env, lab.environment)
  // What is measured is what users start: the bundle, made from these very sources.
  if (!values.built) execFileSync(process.execPath, ['scripts/build.ts'], { stdio: 'inherit' })
  const never = () => Promise.reject(new Error('the lab has all programs'))
  const tools = pinnedTools({ download: never, extract: never })
  const paths = {
    buildx: await tools('buildx'),
    grype: await tools('grype'),
    syft: await tools('syft'),
  }
  const workplace = await openWorkplace()
  const cold = await openColdBuilder(lab, paths.buildx)
  try {
    const setting: Setting = { lab, workplace, builder: cold.name, tools: paths }
    const outcomes: Outcome[] = []
    const all = [...buildCases(setting, cold), ...(await scanCases(setting))]
    const pairs = new Map<string, readonly Pair[]>()
    for (const one of all) {
      if (wanted.length > 0 && !wanted.includes(one.name)) continue
      const found = await compare(one, rounds)
      outcomes.push(found.outcome)
      pairs.set(one.name, found.pairs)
    }
    const figures = await measureFigures(setting, pairs.get('nothing changed') ?? [], wanted)
    await keep(outcomes, figures, { tools: paths, rounds, whole: wanted.length === 0 })
    return [...outcomes, ...figures].every(({ kept }) => kept) ? 0 : 1
  } finally {
    await cold.remove()
    await workplace.remove()
  }
}

async function compare(
  one: Case,
  rounds: number,
): Promise<{ readonly outcome: Outcome; readonly pairs: readonly Pair[] }> {
  say(`▸ ${one.name}`)
  await one.prepare()
  const load = loadNow()
  let changed = -1
  const run = async (side: 'ours' | 'peer', round: number) => {
    if (round !== changed) await one.change()
    changed = round
    return await one.run(side)
  }
  const pairs = await measurePairs(rounds, run, ({ ours, peer }) => {
    const ratio = (ours.seconds / peer.seconds).toFixed(2)
    say(`  ${ours.seconds.toFixed(1)} s against ${peer.seconds.toFixed(1)} s: ${ratio} ×`)
  })
  const ratios = pairs.map(({ ours, peer }) => ours.seconds / peer.seconds)
  const ratio = spreadOf(ratios).median
  const spread = (side: 'ours' | 'peer') => ({
    name: one.names[side],
    seconds: spreadOf(pairs.map((pair) => pair[side].seconds)),
  })
  const { name, what, target } = one
  const sides = { ours: spread('ours'), peer: spread('peer') }
  const steps = pairs.at(-1)?.ours.steps ?? []
  for (const { title, seconds } of steps.filter(({ seconds }) => seconds >= WORTH_SAYING_S))
    say(`    ${seconds.toFixed(1).padStart(5)} s  ${title}`)
  const kept = ratio <= target
  return { outcome: { name, what, ...sides, ratios, ratio, target, kept, steps, load }, pairs }
}

async function keep(
  outcomes: readonly Outcome[],
  figures: readonly Figure[],
  how: {
    readonly tools: Setting['tools']
    readonly rounds: number
    /** False where only some cases were measured: such figures are printed and not kept. */
    readonly whole: boolean
  },
): Promise<void> {
  const rows = outcomes.map(({ name, ours, peer, ratio, target, kept }) => [
    name,
    `${ours.seconds.median.toFixed(1)} s`,
    `${peer.seconds.median.toFixed(1)} s`,
    `${ratio.toFixed(2)} ×`,
    `≤ ${target} ×`,
    kept ? 'kept' : 'missed',
  ])
  say(markdownTable(['case', 'ours', 'peer', 'ratio', 'target', ''], rows))
  for (const { name, value, unit, limit, kept } of figures)
    say(`${kept ? '✓' : '✗'} ${name}: ${value.toFixed(2)} ${unit} (at most ${limit} ${unit})`)
  if (!how.whole) return
  const machine = {
    processors: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 1024 ** 3),
    node: process.version,
    buildx: versionOf(how.tools.buildx, ['version']),
    grype: textAt(
      parseJson(versionOf(how.tools.grype, ['version', '-o', 'json']), 'grype'),
      'version',
    ),
    syft: textAt(
      parseJson(versionOf(how.tools.syft, ['version', '-o', 'json']), 'syft'),
      'version',
    ),
  }
  const at = new Date().toISOString()
  const result = { version: 1, at, rounds: how.rounds, machine, cases: outcomes, figures }
  await mkdir(RESULTS, { recursive: true })
  await writeFile(join(RESULTS, 'build.json'), `${JSON.stringify(result, null, 2)}\n`)
  const bars = outcomes.map(({ name, ours, peer, ratio, target }) => ({
    ...{ name, ratio, target },
    ours: { name: ours.name, seconds: ours.seconds.median },
    peer: { name: peer.name, seconds: peer.seconds.median },
  }))
  const foot = `Medians of ${how.rounds} pairs in turn, ${at.slice(0, 10)}, ${machine.processors} processors; the mark is the target.`
  await writeFile(
    join(RESULTS, 'build.svg'),
    drawChart('build-images, the five images of the stack', bars, foot),
  )
}

function versionOf(program: string, args: readonly string[]): string {
  return execFileSync(program, args, { encoding: 'utf8' }).trim()
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

try {
  process.exitCode = await main()
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`)
  process.exitCode = 1
}
