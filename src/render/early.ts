import { dependenciesOf } from './dependencies.ts'
import { type KubeObject, nameOf, selects } from './manifest.ts'

/** On a workload or a Job: `early` where it waits by itself for what it needs, and so may begin before that at a first deploy. */
export const FIRST_DEPLOY = 'todo-deploy.dev/first-deploy'
const EARLY = 'early'

/** Whom the others wait for before their turn comes: the database, and what migrates it. */
const SLOW = ['StatefulSet', 'Job']
const KINDS = ['Deployment', 'DaemonSet', 'Job']

type Objects = readonly KubeObject[]

/** What is begun together with a wave, and waited for in its own. */
export type Early<Wave> = { readonly beside: Wave | undefined; readonly objects: Objects }

/**
 * What may begin together with the first StatefulSet or Job where nothing was there before: workloads and Jobs that say so, and the
 * Services that lead to them. A failed migration then has nothing to leave as it was.
 */
export function earlyOf<Wave extends { readonly objects: Objects }>(
  waves: readonly Wave[],
): Early<Wave> {
  const slow = waves.findIndex((wave) => wave.objects.some(({ kind }) => SLOW.includes(kind)))
  const later = slow < 0 ? [] : waves.slice(slow + 1).flatMap((wave) => wave.objects)
  const early = later.filter((object) => object.metadata.annotations?.[FIRST_DEPLOY] === EARLY)
  const services = later.filter((object) => early.some((one) => selects(object, one)))
  return { beside: waves[slow], objects: [...services, ...early] }
}

/** Marks that nobody can follow; nothing is thrown for what is found. */
export function earlyProblems(objects: readonly KubeObject[]): readonly string[] {
  const marked = objects.filter(
    ({ metadata }) => metadata.annotations?.[FIRST_DEPLOY] !== undefined,
  )
  const dependencies = dependenciesOf(objects)
  return marked.flatMap((object) => {
    const mark = object.metadata.annotations?.[FIRST_DEPLOY] ?? ''
    const [needed] = dependencies.of(object)
    const name = `${nameOf(object)}: ${FIRST_DEPLOY}`
    return [
      ...(mark === EARLY ? [] : [`${name} is "${mark}"; it may be ${EARLY}`]),
      ...(KINDS.includes(object.kind) ? [] : [`${name} belongs on a ${KINDS.join(', ')}`]),
      ...(needed === undefined
        ? []
        : [`${name} lets it begin early, and it depends on ${nameOf(needed)}: take one away`]),
    ]
  })
}
