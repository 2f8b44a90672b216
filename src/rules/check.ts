import { type KubeObject, nameOf } from '../render/manifest.ts'
import { noTokenRule, ownServiceAccountRule } from './identity.ts'
import { imageDigestRule } from './images.ts'
import { labelsRule } from './labels.ts'
import { restrictedNamespaceRule } from './namespaces.ts'
import { defaultDenyRule, networkAllowRule } from './network.ts'
import {
  hostAccessRule,
  numericUserRule,
  podSecurityRule,
  readOnlyRootRule,
} from './podsecurity.ts'
import { probesRule, probeTargetsRule } from './probes.ts'
import { referencesRule } from './references.ts'
import { autoscalingRule, disruptionBudgetRule } from './replicas.ts'
import { resourceBandRule, resourcesRule } from './resources.ts'
import { routesRule, serviceTargetsRule } from './routes.ts'
import type { Finding, Rule } from './rule.ts'
import { secretFilesRule, secretValuesRule } from './secrets.ts'
import { drainRule, rollingUpdateRule } from './updates.ts'
import { indexManifests } from './workload.ts'

/** What is not as a rule wants it. */
export type Violation = {
  readonly rule: string
  /** `Deployment todo-app-dev/backend`. */
  readonly object: string
  readonly path: string
  /** What is wrong, and the remedy. */
  readonly message: string
}

/** A violation that its object declares to be meant. */
export type Allowed = Violation & { readonly reason: string }

export type Judgement = {
  readonly violations: readonly Violation[]
  readonly allowed: readonly Allowed[]
}

/** Annotation of an object before the name of a rule; its value is the reason. */
export const ALLOW = 'todo-deploy.dev/allow-'

export const RULES: readonly Rule[] = [
  probesRule,
  probeTargetsRule,
  resourcesRule,
  resourceBandRule,
  imageDigestRule,
  podSecurityRule,
  readOnlyRootRule,
  numericUserRule,
  hostAccessRule,
  noTokenRule,
  ownServiceAccountRule,
  rollingUpdateRule,
  drainRule,
  autoscalingRule,
  disruptionBudgetRule,
  labelsRule,
  restrictedNamespaceRule,
  defaultDenyRule,
  networkAllowRule,
  serviceTargetsRule,
  routesRule,
  referencesRule,
  secretFilesRule,
  secretValuesRule,
]

/** The rule about exceptions themselves: each has a reason, names a rule, and is still needed. */
export const EXCEPTIONS = 'exceptions'

/** Judges everything that an environment consists of. Sorted by object, rule and path; nothing is thrown for what is found. */
export function checkManifests(objects: readonly KubeObject[]): Judgement {
  const manifests = indexManifests(objects)
  const found = RULES.flatMap(({ name, check }) =>
    check(manifests).map((finding) => ({ rule: name, finding, reason: reasonFor(finding, name) })),
  )
  const violations = found
    .filter(({ reason }) => reason === '')
    .map(({ rule, finding }) => violation(rule, finding))
  const allowed = found
    .filter(({ reason }) => reason !== '')
    .map(({ rule, finding, reason }) => ({ ...violation(rule, finding), reason }))
  const needed = new Set(found.map(({ rule, finding }) => `${rule} ${nameOf(finding.object)}`))
  const exceptions = objects.flatMap((object) => exceptionFindings(object, needed))
  return {
    violations: [
      ...violations,
      ...exceptions.map((finding) => violation(EXCEPTIONS, finding)),
    ].sort(byPlace),
    allowed: allowed.sort(byPlace),
  }
}

function exceptionFindings(object: KubeObject, needed: ReadonlySet<string>): readonly Finding[] {
  return Object.entries(object.metadata.annotations ?? {})
    .filter(([key]) => key.startsWith(ALLOW))
    .flatMap(([key, reason]) => {
      const rule = key.slice(ALLOW.length)
      const problem = !RULES.some(({ name }) => name === rule)
        ? `there is no rule "${rule}"; there are ${RULES.map(({ name }) => name).join(', ')}`
        : reason.trim() === ''
          ? 'say why this is allowed: whoever reads it next must be able to judge it'
          : needed.has(`${rule} ${nameOf(object)}`)
            ? undefined
            : 'there is nothing left to allow; remove it'
      if (problem === undefined) return []
      return [{ object, path: `metadata.annotations["${key}"]`, message: problem }]
    })
}

function reasonFor({ object }: Finding, rule: string): string {
  return (object.metadata.annotations?.[`${ALLOW}${rule}`] ?? '').trim()
}

function violation(rule: string, { object, path, message }: Finding): Violation {
  return { rule, object: nameOf(object), path, message }
}

function byPlace(a: Violation, b: Violation): number {
  const [left, right] = [a, b].map(({ object, rule, path }) => [object, rule, path].join('\n'))
  return (left ?? '') < (right ?? '') ? -1 : 1
}
