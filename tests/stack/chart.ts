import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { formatImageSet, type ImageSet } from '../../src/release/imageset.ts'
import { type KubeObject, parseManifests } from '../../src/render/manifest.ts'
import { runProgram } from '../../src/tools/program.ts'
import type { ProgramResult } from '../../src/world.ts'
import { testPrograms } from '../programs.ts'

export const CHART = join('k8s', 'helm', 'todo-app')
const HELM_SECONDS = 280
/** What the chart adds to the labels of an object; nothing else may differ from the overlay. */
const CHART_LABELS = ['helm.sh/chart', 'app.kubernetes.io/managed-by', 'app.kubernetes.io/instance']

/** Runs helm to its end; a status other than 0 is a result. */
export async function helm(...args: readonly string[]): Promise<ProgramResult> {
  const argv = [await testPrograms.tool('helm'), ...args] as const
  return await runProgram({ argv, timeoutSeconds: HELM_SECONDS }, AbortSignal.timeout(300_000))
}

/** The flags that a values file of the chart is given by, such as `--values …/values-staging.yaml`. */
export function valuesFlags(names: readonly string[], chart = CHART): readonly string[] {
  return names.flatMap((name) => ['--values', join(chart, `${name}.yaml`)])
}

/** Writes the images of a lock file as values, by the command of docs/helm.md. */
export async function writeImageValues(images: ImageSet, folder: string): Promise<string> {
  await mkdir(folder, { recursive: true })
  const lock = join(folder, 'images.lock.json')
  const values = join(folder, 'images.values.yaml')
  await writeFile(lock, formatImageSet(images))
  const argv = [process.execPath, 'scripts/chart-images.ts', lock] as const
  const { status, stdout, stderr } = await runProgram(
    { argv, timeoutSeconds: 20 },
    AbortSignal.timeout(30_000),
  )
  if (status !== 0) throw new Error(stderr)
  await writeFile(values, stdout)
  return values
}

/** Renders the chart as `helm install` would, tests left out; throws with helm's own words. */
export async function renderChart(
  namespace: string,
  flags: readonly string[],
  chart = CHART,
): Promise<readonly KubeObject[]> {
  const { status, stdout, stderr } = await helm(
    ...['template', 'todo', chart, '--namespace', namespace, '--skip-tests', ...flags],
  )
  if (status !== 0) throw new Error(stderr)
  return parseManifests(stdout, 'the chart')
}

/** The object without what is the chart's own. */
export function withoutChartLabels(object: KubeObject): KubeObject {
  const labels = Object.entries(object.metadata.labels ?? {})
  const kept = Object.fromEntries(labels.filter(([name]) => !CHART_LABELS.includes(name)))
  return { ...object, metadata: { ...object.metadata, labels: kept } }
}
