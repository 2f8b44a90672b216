import type { KubeObject } from '../render/manifest.ts'
import type { Manifests } from './workload.ts'

/** One thing that is not as a rule wants it: where, and what to do. */
export type Finding = {
  readonly object: KubeObject
  /** Dotted path inside the object; items of lists are named by their name: `spec.template.spec.containers[backend]`. */
  readonly path: string
  /** What is wrong, and the remedy. */
  readonly message: string
}

/** A demand on all objects of an environment together. It knows nothing of files, clusters or tests. */
export type Rule = {
  /** Stable: exceptions name it. */
  readonly name: string
  /** What has to be so, as a sentence. */
  readonly claim: string
  readonly check: (manifests: Manifests) => readonly Finding[]
}
