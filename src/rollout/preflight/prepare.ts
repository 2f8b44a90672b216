import type { Change } from '../../cluster/changes.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import { readCapabilities } from '../../cluster/capabilities.ts'
import { tryObjects } from '../../cluster/dryrun.ts'
import { readLiveStates } from '../../cluster/livestates.ts'
import { lookOnce } from '../../cluster/look.ts'
import { discoverResources, type Resources } from '../../cluster/resources.ts'
import { type EnvironmentState, readState } from '../../cluster/state.ts'
import type { Environment } from '../../environments/environments.ts'
import { UserError } from '../../errors.ts'
import { textAt } from '../../json.ts'
import { keyOf, type KubeObject } from '../../render/manifest.ts'
import { renderObjects } from '../../render/render.ts'
import type { World } from '../../world.ts'
import { isMask, maskerOf, openMask } from '../evidence/mask.ts'
import type { DeployOptions } from '../outcome.ts'
import { makePlan, type Plan, planLines } from './plan.ts'
import { type Preflight, preflight } from './preflight.ts'
import { withSecretTimes } from '../rotation.ts'
import { type Handover, openHandover } from '../strategies/handover.ts'
import { asSets } from '../strategies/sets.ts'
import { recordTimeline, type TimelineRecorder } from '../timeline.ts'

/** Everything that is known before the first write. */
export type Prepared = Preflight & {
  readonly state: EnvironmentState | undefined
  /** What the overlay or the chart renders to. */
  readonly rendered: readonly KubeObject[]
  /** As it will be applied, without Jobs that ran and were removed as asked. */
  readonly objects: readonly KubeObject[]
  readonly whole: Plan
  /** How the requests go from the pods of now to those of the release. */
  readonly handover: Handover
  readonly timeline: TimelineRecorder
}

/** Renders, asks the cluster everything there is to ask, and says what would change. Throws with all problems at once; writes nothing. */
export async function prepare(
  options: DeployOptions,
  cluster: Cluster,
  world: World,
): Promise<Prepared> {
  const { environment, source } = options
  const { namespace } = environment
  const { progress } = world
  // A login that may not read it is told so below, together with all else that it may not.
  const reading = readState(namespace, cluster).catch((error: unknown) => {
    if (!(error instanceof UserError)) throw error
    return undefined
  })
  // Whoever waits for it is told; until then nobody has to be.
  reading.catch(() => undefined)
  const resources = discoverResources(cluster)
  const look = lookOnce(cluster)
  const early = lookAhead(reading, options, { cluster: look, resources })
  early.catch(() => undefined) // Told to whoever needs it.
  const rendered = await progress.step('Render the manifests', () =>
    render(options, reading, { cluster, world }),
  )
  const state = await reading
  const timed = await withSecretTimes(rendered, rendered, look)
  const masking = maskFor(rendered, namespace, cluster)
  // Asked for beside the rest; if that fails, nobody waits for it.
  masking.catch(() => undefined)
  const flight = await progress.step(`Try ${timed.length} objects on the server`, () =>
    preflight(
      {
        ...{ objects: timed, namespace, state, origin: originOf(environment) },
        ...{ prune: options.prune, lint: options.lint ?? 'warn' },
        ...{ force: options.forceConflicts === true, resources },
      },
      look,
    ),
  )
  for (const warning of flight.warnings) progress.warn(warning)
  const { changes } = flight.plan
  const remove = flight.prune.remove.map(({ entry }) => entry.object)
  const mask = await masking
  const whole = makePlan({ release: source.identity, changes, remove }, mask)
  for (const line of [...planLines(whole), ...flight.notes]) progress.say(line)
  for (const line of helmWarnings(changes)) progress.warn(line)
  const objects = changes.filter((change) => !isDone(change)).map(({ object }) => object)
  const timeline = recordTimeline(world.clock)
  const before = state?.pending?.traffic ?? {}
  const { strategy } = environment
  const live = new Map(changes.map((change) => [keyOf(change.object), change.live]))
  const question = { objects, strategy, before, live, timeline }
  const handover = await openHandover(question, cluster, world)
  for (const line of handover.plan) progress.say(line)
  return { ...flight, state, rendered, objects, whole, handover, timeline }
}

/**
 * What the last release had is most of what this one has, and all of it where it is the same release: the cluster is asked about that
 * while the manifests are rendered.
 */
async function lookAhead(
  reading: Promise<EnvironmentState | undefined>,
  { source }: DeployOptions,
  { cluster, resources }: { readonly cluster: Cluster; readonly resources: Resources },
): Promise<void> {
  const state = await reading
  const objects = (state?.good?.inventory ?? []).map(({ object }) => object)
  const isSame = state?.good?.release === source.identity && state.pending === undefined
  if (isSame) {
    const done = new Set(objects.map(keyOf))
    const tried = tryObjects(objects, cluster, { resources, done })
    await Promise.all([tried, withSecretTimes(objects, objects, cluster)])
  } else {
    const kinds = objects.map((object) => resources.kindOf(object))
    await Promise.all([...kinds, readLiveStates(objects, { cluster, resources })])
  }
}

async function render(
  { environment, source }: DeployOptions,
  reading: Promise<EnvironmentState | undefined>,
  { cluster, world }: { readonly cluster: Cluster; readonly world: World },
): Promise<readonly KubeObject[]> {
  // A chart is made for the cluster that it goes to; what an overlay renders to is the same everywhere.
  const facts =
    environment.chart === undefined
      ? {}
      : {
          isUpgrade: isUpgrade(await reading, environment),
          cluster: await readCapabilities(cluster),
        }
  const objects = await renderObjects({ ...source, ...facts }, environment, world)
  return asSets(objects, environment.strategy)
}

/** What helm would call an upgrade: the chart is there already, and was good. */
function isUpgrade(state: EnvironmentState | undefined, environment: Environment): boolean {
  const origin = originOf(environment)
  return state?.good !== undefined && (state.good.overlay ?? origin) === origin
}

/** Where objects come from: what was made from one place is not cleaned up after another. */
export function originOf({ overlay, chart }: Environment): string {
  return chart === undefined ? overlay : `chart ${chart.path}`
}

/** A Job that ran, and was removed since as its chart wants it. */
function isDone({ object, action, live }: Change): boolean {
  return object.kind === 'Job' && action === 'unchanged' && live === undefined
}

async function maskFor(
  objects: readonly KubeObject[],
  namespace: string,
  cluster: Cluster,
): Promise<(text: string) => string> {
  const live = await openMask(namespace, cluster)
  const rendered = maskerOf(
    objects
      .filter(({ kind }) => kind === 'Secret')
      .flatMap((secret) => [
        ...Object.values((secret['stringData'] ?? {}) as Record<string, string>).map(String),
        // Also as it stands there: somebody may have forgotten to encode it.
        ...Object.values((secret['data'] ?? {}) as Record<string, string>).flatMap((encoded) => [
          encoded,
          Buffer.from(encoded, 'base64').toString('utf8'),
        ]),
      ]),
  )
  return isMask(live) ? (text) => rendered(live(text)) : rendered
}

/** Helm would delete what it still believes to be its own. */
function helmWarnings(changes: readonly Change[]): readonly string[] {
  const releases = changes.flatMap(({ live, taken }) =>
    taken?.includes('helm') === true
      ? (textAt(live, 'metadata', 'annotations', 'meta.helm.sh/release-name') ?? [])
      : [],
  )
  return [...new Set(releases)].map(
    (name) =>
      `These objects are taken over from the Helm release ${name}: forget it with "kubectl delete secret -l owner=helm,name=${name}"; "helm uninstall" would delete them`,
  )
}
