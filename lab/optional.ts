import { addons, ensureAddon } from './addons.ts'
import type { Addon } from './addons.ts'
import { ensureCompose } from './compose.ts'
import { build, download, toolPath } from './gotools.ts'
import { publishMonitoring } from './monitoring.ts'
import type { Step } from './schedule.ts'
import type { Part } from './state.ts'
import { newStep } from './step.ts'
import { titleOf } from './toolset.ts'
import type { ModuleName } from './toolset.ts'

/** How the two ways of the lab differ for the parts that are made only when asked for. */
export interface Supply {
  readonly host: string
  /** Released or compiled programs, once their step is done. */
  readonly program: (name: 'kubectl' | 'buildx') => Promise<string>
  /** Modules whose programs are in the cache already. */
  readonly built: readonly ModuleName[]
  /** Parts that were ready when the lab was last started. */
  readonly wasReady: readonly Part[]
}

/** What has to be done for each part that is made only when it is asked for, the same way everywhere. */
export const optionalGoals = {
  workflows: ['compile-ci'],
  compose: ['compose'],
  addons: ['addon-metrics', 'addon-policies'],
  secrets: ['addon-secrets'],
  monitoring: ['monitoring'],
  ingress: ['addon-ingress'],
  fakenodes: ['compile-kwok'],
} as const satisfies Partial<Record<Part, readonly string[]>>

/** Modules that only such parts need. */
export const optionalModules: readonly ModuleName[] = [
  'ci',
  'compose',
  'metrics',
  'policies',
  'secrets',
  'monitoring',
  'probe',
  'ingress',
  'kwok',
]

export function optionalSteps(supply: Supply): Step[] {
  const { host, program, wasReady } = supply
  const addon = (one: Addon, part: Part): Step =>
    newStep(`addon-${one.folder}`, `starting ${titleOf(one.module)}`, {
      done: wasReady.includes(part),
      needs: ['cluster', `compile-${one.module}`],
      run: async () => {
        await ensureAddon(one, { host, kubectl: await program('kubectl') })
      },
    })
  return [
    ...optionalModules.flatMap((name) => toolSteps(name, supply.built.includes(name))),
    newStep('compose', 'giving the docker client Docker Compose', {
      needs: ['compile-compose', 'builder'],
      run: async () => {
        ensureCompose({ compose: toolPath('docker-compose'), buildx: await program('buildx') })
      },
    }),
    addon(addons.metrics, 'addons'),
    addon(addons.policies, 'addons'),
    addon(addons.secrets, 'secrets'),
    addon(addons.ingress, 'ingress'),
    newStep('monitoring', 'making the images of Prometheus', {
      done: wasReady.includes('monitoring'),
      needs: ['registry', 'compile-monitoring', 'compile-probe'],
      run: () => publishMonitoring(host),
    }),
  ]
}

/** Compiling the programs of one Go module: what has no released binary that is pinned is made so online, too. */
export function toolSteps(name: ModuleName, done: boolean): Step[] {
  const urgent = name === 'kubernetes' || name === 'own'
  const fetch = `fetch-${name}`
  return [
    newStep(fetch, `fetching the source of ${titleOf(name)}`, {
      done,
      urgent,
      uses: 'network',
      run: () => download(name),
    }),
    newStep(`compile-${name}`, `compiling ${titleOf(name)}`, {
      done,
      urgent,
      needs: [fetch],
      uses: 'processors',
      run: () => build(name),
    }),
  ]
}
