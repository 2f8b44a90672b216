import type { Part } from './state.ts'

/** What the steps of both ways are told. */
export interface Setting {
  readonly host: string
  /** True when the engine is the lab's own. */
  readonly ownEngine: boolean
  readonly say: (line: string) => void
  /** Parts that were ready when the lab was last started. */
  readonly wasReady: readonly Part[]
  readonly onNodeImage: (image: string) => void
}
