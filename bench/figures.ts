import { mkdir, readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { measure, type Pair, spreadOf } from './measure.ts'
import { ourCommand, placeOf, type Setting } from './sides.ts'

/** One number that has a limit. */
export type Figure = {
  readonly name: string
  readonly what: string
  readonly value: number
  readonly unit: 's' | 'MB'
  readonly limit: number
  readonly kept: boolean
}

const MEGA = 1_000_000
const BUNDLE = 'actions/build-images/dist'
const LARGE = 'memory with a layer of 1 GiB'

/** What is not a comparison: seconds to the first line, memory, and the size of the bundle. */
export async function measureFigures(
  setting: Setting,
  unchanged: readonly Pair[],
  wanted: readonly string[],
): Promise<readonly Figure[]> {
  const figures: Figure[] = []
  const add = (figure: Omit<Figure, 'kept'>) => {
    figures.push({ ...figure, kept: figure.value <= figure.limit })
  }
  if (unchanged.length > 0) {
    const samples = unchanged.map(({ ours }) => ours)
    const first = samples.map(
      ({ firstLineSeconds }) => firstLineSeconds ?? Number.POSITIVE_INFINITY,
    )
    add({
      ...{ name: 'nothing changed, in seconds', what: 'median', unit: 's', limit: 5 },
      value: spreadOf(samples.map(({ seconds }) => seconds)).median,
    })
    add({
      ...{ name: 'start to the first useful line', what: 'median', unit: 's', limit: 0.5 },
      value: spreadOf(first).median,
    })
    add({
      ...{ name: 'memory, nothing changed', what: 'highest of all runs', unit: 'MB', limit: 200 },
      value: Math.max(...samples.map(({ peakBytes }) => peakBytes)) / MEGA,
    })
  }
  if (wanted.length === 0 || wanted.includes(LARGE))
    add({
      ...{ name: LARGE, what: 'built, scanned, pushed', unit: 'MB', limit: 200 },
      value: (await peakWithLargeLayer(setting)) / MEGA,
    })
  const files = (await readdir(BUNDLE)).filter((file) => file.endsWith('.js'))
  const sizes = await Promise.all(files.map(async (file) => (await stat(join(BUNDLE, file))).size))
  add({
    ...{ name: 'bundle', what: 'all its code', unit: 'MB', limit: 2 },
    value: sizes.reduce((sum, size) => sum + size, 0) / MEGA,
  })
  return figures
}

/** The memory of the action's own process, with an image that no process could hold. */
async function peakWithLargeLayer(setting: Setting): Promise<number> {
  const { lab, workplace } = setting
  const folder = join(workplace.folder, 'large')
  await mkdir(folder, { recursive: true })
  // Random bytes: nothing makes them smaller on the way.
  const dockerfile =
    'FROM python:3.11-slim\nRUN dd if=/dev/urandom of=/large bs=1M count=1024 status=none\n'
  await writeFile(join(folder, 'Dockerfile'), dockerfile)
  await writeFile(join(folder, 'bake.hcl'), 'target "large" {\n  context = "large"\n}\n')
  const command = await ourCommand(setting, {
    ...{ 'bake-file': 'large/bake.hcl', targets: 'large', cache: 'none' },
    ...{ registry: placeOf(lab, 'large'), 'severity-threshold': 'none' },
  })
  return (await measure([command])).peakBytes
}
