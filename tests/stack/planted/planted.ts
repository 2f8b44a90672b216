export type Key = string | number

/** One thing that is broken in an environment, and the rule that has to see it. */
export type Planted = {
  readonly name: string
  readonly rule: string
  /** Kind and the begin of the name: generated names and those of Jobs end in a hash. */
  readonly object: string
  /** What is set, and to what; undefined removes it. Without a path the whole object goes. */
  readonly path: readonly Key[]
  readonly value?: unknown
}

export const backend = 'Deployment backend'
export const pod: readonly Key[] = ['spec', 'template', 'spec']
export const container: readonly Key[] = [...pod, 'containers', 0]
