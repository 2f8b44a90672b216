import type { KubeObject } from '../../src/render/manifest.ts'
import type { Rule } from '../../src/rules/rule.ts'
import { indexManifests } from '../../src/rules/workload.ts'

const NAMESPACE = 'todo'

/** An object of a kind; where a specification is all it has, that is enough. */
export function objectOf(
  kind: string,
  name: string,
  more: Readonly<Record<string, unknown>> = {},
): KubeObject {
  const { metadata, ...rest } = more
  return {
    apiVersion: 'v1',
    kind,
    metadata: { name, namespace: NAMESPACE, ...(metadata as object | undefined) },
    ...rest,
  }
}

/** A Deployment whose pods have the label `app` with its name; `more` goes into the pod. */
export function deploymentOf(
  name: string,
  more: Readonly<Record<string, unknown>> = {},
  spec: Readonly<Record<string, unknown>> = {},
): KubeObject {
  const labels = { app: name }
  const pod = { containers: [{ name: 'main' }], ...more }
  return objectOf('Deployment', name, {
    spec: { ...spec, template: { metadata: { labels }, spec: pod } },
  })
}

/** Where a rule finds something, and what it says. */
export function foundBy(rule: Rule, ...objects: readonly KubeObject[]): readonly string[] {
  return rule
    .check(indexManifests(objects))
    .map(({ object, path, message }) => `${object.metadata.name} ${path}: ${message}`)
}
