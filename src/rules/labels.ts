import type { Rule } from './rule.ts'

const LABELS = [
  'app.kubernetes.io/name',
  'app.kubernetes.io/component',
  'app.kubernetes.io/part-of',
]

export const labelsRule: Rule = {
  name: 'labels',
  claim: 'Each object, and the pods of each workload, say what they are, which part, and of what.',
  check: ({ objects, workloads }) => [
    ...objects.flatMap((object) =>
      missing(object.metadata.labels ?? {}).map((label) => ({
        object,
        path: `metadata.labels["${label}"]`,
        message: 'add this label',
      })),
    ),
    ...workloads
      .filter(({ object }) => object.kind !== 'Pod')
      .flatMap(({ object, path, labels }) =>
        missing(labels).map((label) => ({
          object,
          path: `${path.replace(/\.spec$/, '')}.metadata.labels["${label}"]`,
          message: 'add this label to the pods too',
        })),
      ),
  ],
}

function missing(labels: Readonly<Record<string, string>>): readonly string[] {
  return LABELS.filter((label) => (labels[label] ?? '') === '')
}
