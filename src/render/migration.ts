import { type KubeObject, nameOf } from './manifest.ts'
import { WAVE } from './waves.ts'

/** On the Job of a migration: what it does to the release before it. */
export const PHASE = 'todo-deploy.dev/phase'

/** `expand` only adds, so the release before it goes on working; `contract` takes something away that it may need. */
export type Phase = 'expand' | 'contract'
const PHASES: readonly string[] = ['expand', 'contract']

/** What a migration does, or undefined where the object is none or does not say. */
export function phaseOf(object: KubeObject): Phase | undefined {
  const phase = object.metadata.annotations?.[PHASE]
  return phase !== undefined && PHASES.includes(phase) ? (phase as Phase) : undefined
}

/** The migration of a release that a release before it can't live with, or undefined. */
export function contractOf(objects: readonly KubeObject[]): KubeObject | undefined {
  return objects.find((object) => phaseOf(object) === 'contract')
}

/** Marks that nobody can follow; nothing is thrown for what is found. */
export function phaseProblems(objects: readonly KubeObject[]): readonly string[] {
  return objects.flatMap((object) => {
    const phase = object.metadata.annotations?.[PHASE]
    if (phase === undefined) return []
    if (!PHASES.includes(phase))
      return [`${nameOf(object)}: ${PHASE} is "${phase}"; it may be ${PHASES.join(' or ')}`]
    const wave = object.metadata.annotations?.[WAVE] ?? 'migration'
    return object.kind === 'Job' && wave === 'migration'
      ? []
      : [`${nameOf(object)}: ${PHASE} belongs on a Job that runs before the workloads`]
  })
}
