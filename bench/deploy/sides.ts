import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { parseYaml } from '../../src/yaml.ts'
import type { Lab } from '../../lab/lab.ts'
import { isObject, textAt } from '../../src/json.ts'
import type { Command } from '../measure.ts'
import { baseEnvironment } from '../sides.ts'
import { type Attempt, attempt, attemptAll, attemptBoth } from './attempt.ts'

/** The three that are compared. */
export const SIDES = ['ours', 'kubectl', 'helm'] as const
export type SideName = (typeof SIDES)[number]

export const NAMES: Readonly<Record<SideName, string>> = {
  ours: 'todo-deploy',
  kubectl: 'kubectl apply -k, rollout status',
  helm: 'helm upgrade --install --wait',
}

export type Setting = {
  readonly lab: Lab
  readonly programs: Readonly<Record<'kubectl' | 'helm' | 'kwok', string>>
  /** A folder that is removed at the end. */
  readonly folder: string
}

/** What one deploy is about, in the form that each side reads. */
export type Target = {
  readonly namespace: string
  /** Inputs of the action. */
  readonly inputs: Readonly<Record<string, string>>
  /** A kustomization for kubectl, and what it waits for: `deployment/web`. */
  readonly overlay: string
  readonly workloads: readonly string[]
  readonly jobs: readonly string[]
  readonly chart: string
  readonly values: readonly string[]
  readonly timeoutSeconds: number
  /** Another way to the same cluster. */
  readonly kubeconfig?: string
}

const ACTION = 'actions/deploy'

/** One deploy by one side, from the start of its first program to the end of its last. */
export async function deployBy(side: SideName, target: Target, setting: Setting): Promise<Attempt> {
  switch (side) {
    case 'ours':
      return await attempt(await ourCommand(target, setting))
    case 'helm':
      return await attempt(helmCommand(target, setting))
    case 'kubectl':
      return await attemptBoth(kubectl(target, setting, applyOf(target)), () =>
        attemptAll(waitsOf(target).map((args) => kubectl(target, setting, args))),
      )
  }
}

/** The action as GitHub's runner starts it: the bundle, its inputs, files for what it says. */
export async function ourCommand(target: Target, setting: Setting): Promise<Command> {
  const { namespace, timeoutSeconds } = target
  const action: unknown = parseYaml(await readFile(`${ACTION}/action.yml`, 'utf8'))
  const declared = isObject(action) && isObject(action['inputs']) ? action['inputs'] : {}
  const given: Readonly<Record<string, string>> = {
    ...{ namespace, timeout: `${timeoutSeconds}s`, kubeconfig: kubeconfigOf(target, setting) },
    ...target.inputs,
  }
  const values = Object.entries(declared).map(([name, input]): [string, string] => [
    `INPUT_${name.toUpperCase()}`,
    given[name] ?? textAt(input, 'default') ?? '',
  ])
  const runner = runnerOf(target, setting)
  await mkdir(runner, { recursive: true })
  const files = { output: join(runner, 'output'), summary: join(runner, 'summary') }
  for (const file of Object.values(files)) await writeFile(file, '')
  return {
    argv: [process.execPath, resolve(ACTION, textAt(action, 'runs', 'main') ?? '')],
    cwd: setting.folder,
    report: reportOf(target, setting),
    env: {
      ...baseEnvironment(setting.lab),
      ...Object.fromEntries(values),
      RUNNER_TEMP: runner,
      GITHUB_OUTPUT: files.output,
      GITHUB_STEP_SUMMARY: files.summary,
    },
  }
}

/** The report that our side writes. */
export function reportOf(target: Target, setting: Setting): string {
  return join(runnerOf(target, setting), 'todo-deploy', 'deploy', 'report.json')
}

function runnerOf({ namespace }: Target, { folder }: Setting): string {
  return join(folder, 'runner', namespace)
}

/** Server-side, in one call; then every workload is waited for at the same time, which is the quickest that can be had. */
function applyOf({ overlay }: Target): readonly string[] {
  return ['apply', '--server-side', '-k', overlay]
}

function waitsOf({ workloads, jobs, timeoutSeconds }: Target): readonly (readonly string[])[] {
  const limit = `--timeout=${timeoutSeconds}s`
  return [
    ...workloads.map((workload) => ['rollout', 'status', workload, limit]),
    ...jobs.map((job) => ['wait', '--for=condition=complete', job, limit]),
  ]
}

function kubectl(target: Target, setting: Setting, args: readonly string[]): Command {
  const argv = [setting.programs.kubectl, '-n', target.namespace, ...args] as const
  return { argv, cwd: setting.folder, env: peerEnvironment(target, setting) }
}

function helmCommand(target: Target, setting: Setting): Command {
  const { namespace, chart, values, timeoutSeconds } = target
  return {
    argv: [
      ...([setting.programs.helm, 'upgrade', '--install', 'bench', chart] as const),
      ...['--namespace', namespace, '--create-namespace'],
      ...values.flatMap((file) => ['--values', file]),
      ...['--wait=watcher', '--wait-for-jobs', '--timeout', `${timeoutSeconds}s`],
    ],
    cwd: setting.folder,
    env: peerEnvironment(target, setting),
  }
}

function peerEnvironment(target: Target, setting: Setting): Readonly<Record<string, string>> {
  return { ...baseEnvironment(setting.lab), KUBECONFIG: kubeconfigOf(target, setting) }
}

function kubeconfigOf(target: Target, { lab }: Setting): string {
  return target.kubeconfig ?? lab.kubeconfig
}
