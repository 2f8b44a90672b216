import { isObject, listAt, textAt } from '../json.ts'
import type { KubeObject } from '../render/manifest.ts'
import { type FieldTree, hasField, uniteFields, withoutFields } from './fields.ts'

/** Who we are to the server: every field that we apply is ours under this name. */
export const FIELD_MANAGER = 'todo-deploy'

/**
 * Tools that brought whole manifests before us. Their fields become ours, so that what a release lacks disappears. People's own
 * commands (`kubectl edit`, `kubectl scale`) and controllers are not among them: what they set is asked about, never overrun.
 */
const TAKEN: readonly { readonly manager: string; readonly operation?: string }[] = [
  { manager: 'kubectl-client-side-apply' },
  { manager: 'kubectl-create' },
  { manager: 'kubectl-replace' },
  { manager: 'kubectl', operation: 'Apply' },
  { manager: 'helm' },
]

/**
 * Whom the server notes for what was there before fields had owners, and for the label that it gives to each Namespace: nobody
 * minds when it is overrun, and there is nothing to take over.
 */
export const NOBODY = 'before-first-apply'

/**
 * Who we are where we set a number of pods: were replicas part of what is applied, leaving them out the next time would set them to 1. A
 * release that names a number, such as the one that a canary goes back to, overruns what we have set on the way.
 */
export const SCALER = `${FIELD_MANAGER}-scale`

/** Autoscalers and what they own: the field is theirs, and is left out of what we apply. */
const AUTOSCALERS = [
  { manager: /^kube-controller-manager$/, subresource: 'scale', field: /^\.spec\.replicas$/ },
  {
    manager: /^(keda|vpa|vertical-pod)/,
    subresource: undefined,
    field: /\.(replicas|resources)\b/,
  },
]

export type Owner = {
  readonly manager: string
  readonly operation: string
  readonly subresource: string
  readonly apiVersion: string
  readonly fields: FieldTree
  /** As the server has it. */
  readonly entry: unknown
}

/** Who owns which fields of an object. */
export function ownersOf(live: unknown): readonly Owner[] {
  return listAt(live, 'metadata', 'managedFields').map((entry) => {
    const fields = isObject(entry) ? entry['fieldsV1'] : undefined
    return {
      manager: textAt(entry, 'manager') ?? '',
      operation: textAt(entry, 'operation') ?? '',
      subresource: textAt(entry, 'subresource') ?? '',
      apiVersion: textAt(entry, 'apiVersion') ?? '',
      fields: (isObject(fields) ? fields : {}) as FieldTree,
      entry,
    }
  })
}

/** Whether one of our applies made or wrote this object. */
export function isOurs(live: unknown): boolean {
  return ownersOf(live).some(isUs)
}

export function isTaken(manager: string, operation?: string): boolean {
  return TAKEN.some(
    (taken) =>
      taken.manager === manager &&
      (taken.operation === undefined || operation === undefined || taken.operation === operation),
  )
}

export function isAutoscaled(conflict: {
  readonly manager: string
  readonly subresource: string
  readonly field: string
}): boolean {
  return AUTOSCALERS.some(
    ({ manager, subresource, field }) =>
      manager.test(conflict.manager) &&
      field.test(conflict.field) &&
      (subresource === undefined || subresource === conflict.subresource),
  )
}

/** Names of the tools whose fields of this object become ours. */
export function takenOf(live: unknown): readonly string[] {
  return [...new Set(takenOwners(live).map(({ manager }) => manager))]
}

/**
 * The patch that writes the fields of earlier tools under our name: after it, an apply removes what is not wanted any more. It
 * fails where the object was changed meanwhile. Undefined where there is nothing to take over.
 */
export function takeOver(object: KubeObject, live: unknown): readonly unknown[] | undefined {
  const taken = takenOwners(live)
  if (taken.length === 0) return undefined
  const owners = ownersOf(live)
  const own = owners.find((owner) => isUs(owner) && owner.apiVersion === object.apiVersion)
  // Fields are named as a version has them: those of another one can't be ours, and stay nobody's.
  const mine = taken.filter(({ apiVersion }) => apiVersion === object.apiVersion)
  const fieldsV1 = uniteFields([...(own === undefined ? [] : [own]), ...mine].map((o) => o.fields))
  const entry = {
    manager: FIELD_MANAGER,
    operation: 'Apply',
    apiVersion: object.apiVersion,
    fieldsType: 'FieldsV1',
    time: textAt(own?.entry ?? taken[0]?.entry, 'time'),
    fieldsV1,
  }
  const kept = owners.filter((owner) => owner !== own && !isTakenOwner(owner))
  const value = [...kept.map((owner) => owner.entry), entry]
  const version = textAt(live, 'metadata', 'resourceVersion')
  return [
    { op: 'replace', path: '/metadata/managedFields', value },
    { op: 'replace', path: '/metadata/resourceVersion', value: version },
  ]
}

/** What an apply after the take-over will leave: without the fields of earlier tools that nobody wants. */
export function afterTakeOver(tried: unknown, object: KubeObject, live: unknown): unknown {
  const taken = takenOwners(live).filter(({ apiVersion }) => apiVersion === object.apiVersion)
  const others = ownersOf(live).filter((owner) => !isTakenOwner(owner) && !isUs(owner))
  return withoutFields(tried, {
    fields: uniteFields(taken.map(({ fields }) => fields)),
    others: uniteFields(others.map(({ fields }) => fields)),
    wanted: object,
  })
}

/** Whether a field has owners, and all of them are we or tools before us: an apply without it gives it up. */
export function isGivenUp(live: unknown, path: readonly string[]): boolean {
  const owners = ownersOf(live).filter(({ fields }) => hasField(fields, path))
  return owners.length > 0 && owners.every((owner) => isUs(owner) || isTakenOwner(owner))
}

function takenOwners(live: unknown): readonly Owner[] {
  return ownersOf(live).filter(isTakenOwner)
}

function isTakenOwner({ manager, operation, subresource }: Owner): boolean {
  return subresource === '' && isTaken(manager, operation)
}

function isUs({ manager, operation, subresource }: Owner): boolean {
  return manager === FIELD_MANAGER && operation === 'Apply' && subresource === ''
}
