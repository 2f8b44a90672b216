import { existsSync } from 'node:fs'
import { listAddons } from './addons.ts'
import { CLUSTER, nodePorts } from './cluster.ts'
import { attempt } from './command.ts'
import { readManifest } from './gotools.ts'
import { releasedTools } from './online.ts'
import { places } from './places.ts'
import { REGISTRY, REGISTRY_CONTAINER, answersRegistry } from './registry.ts'
import { findLab } from './state.ts'
import type { Lab } from './state.ts'

/** Prints a table of what runs, where, and how large the cache is; returns 0 when everything runs, else 1. */
export async function showStatus(print: (line: string) => void): Promise<number> {
  const lab = findLab()
  if (lab === undefined) {
    print('The lab has not been started: run "npm run lab:up".')
    return 1
  }
  const engine = await attempt(
    ['docker', '--host', lab.dockerHost, 'version', '--format', '{{.Server.Version}}'],
    { timeoutSeconds: 10 },
  )
  const runs = engine.code === 0
  const rows = [
    [
      'engine',
      runs ? engine.stdout.trim() : 'does not answer',
      `${lab.dockerHost}${lab.ownEngine ? '' : ' (was there before the lab)'}`,
    ],
    [
      'registry',
      await stateOf(lab, REGISTRY_CONTAINER, runs),
      `${(await answersRegistry()) ? '' : 'does not answer: '}${REGISTRY}`,
    ],
    ['builder', await stateOf(lab, `buildx_buildkit_${lab.builder}0`, runs), lab.builder],
    [
      'cluster',
      await stateOf(lab, `${CLUSTER}-control-plane`, runs),
      `${lab.context} in ${lab.kubeconfig}`,
    ],
  ]
  const kubectl = await findKubectl(lab)
  const running = runs && kubectl !== undefined ? await listAddons(kubectl) : []
  print(`The lab (${lab.way})`)
  for (const [name = '', state = '', where = ''] of rows)
    print(`${name.padEnd(10)}${state.padEnd(18)}${where}`)
  if (running.length > 0) print(`${'add-ons'.padEnd(28)}${running.join(', ')}`)
  print(
    `${'ports'.padEnd(28)}127.0.0.1:${nodePorts[0]}-${nodePorts.at(-1)} lead to the node ports of the same numbers`,
  )
  print(`${'cache'.padEnd(10)}${(await sizeOf(places.cache)).padEnd(18)}${places.cache}`)
  print('')
  for (const [name, value] of Object.entries(lab.environment)) print(`export ${name}=${value}`)
  return rows.every(([, state]) => state === 'running' || state === engine.stdout.trim()) && runs
    ? 0
    : 1
}

async function findKubectl({ way }: Lab): Promise<string | undefined> {
  return way === 'online' ? releasedTools('kubectl') : readManifest()['kubectl']?.path
}

async function stateOf(lab: Lab, container: string, engineRuns: boolean): Promise<string> {
  if (!engineRuns) return 'unknown'
  const { code, stdout } = await attempt([
    'docker',
    '--host',
    lab.dockerHost,
    'inspect',
    '--format',
    '{{.State.Status}}',
    container,
  ])
  return code === 0 ? stdout.trim() : 'not there'
}

async function sizeOf(folder: string): Promise<string> {
  if (!existsSync(folder)) return '0'
  const { stdout } = await attempt(
    ['du', '--summarize', '--human-readable', '--one-file-system', folder],
    { timeoutSeconds: 30 },
  )
  return stdout.split('\t')[0] ?? ''
}
