import { join } from 'node:path'
import type { Branches } from '../build/cachetag.ts'
import type { SigningMaterial } from '../signing/open.ts'
import type { Place, World } from '../world.ts'
import type { Inputs, InputSpecs } from './inputs.ts'

/** What a command has to say when it is done, whoever called it. */
export type CommandResult = {
  /** The outputs that `action.yml` declares; `report` is added by the caller. */
  readonly outputs: Readonly<Record<string, string>>
  /** Versioned data for machines; `kind` names its JSON Schema in `schemas/`. */
  readonly report: { readonly kind: string; readonly version: 1; readonly [key: string]: unknown }
  /** Markdown for the job summary. */
  readonly summary: string
  /** One line: what happened. */
  readonly headline: string
  /** Process status: 0 is good. */
  readonly status: number
  /** The line of a file that the headline is about. */
  readonly place?: Place
  /** Shown on lines of files of the checkout, the most important first; the runner shows a few of them only. */
  readonly annotations?: readonly Annotation[]
  /** Shown below the headline where the status is not 0. */
  readonly details?: readonly string[]
  /** Further files, such as JUnit, by output name. */
  readonly files?: Readonly<Record<string, { readonly name: string; readonly content: string }>>
  /** Further folders of files (name → content), by output name. */
  readonly folders?: Readonly<
    Record<string, { readonly name: string; readonly files: Readonly<Record<string, string>> }>
  >
}

/** What is wrong about a line of a file. */
export type Annotation = {
  readonly title: string
  readonly message: string
  readonly place: Place
}

/** Who runs a command where: filled by GitHub's runner or by the CLI. */
export type Caller = {
  /** Person or bot that started it. */
  readonly actor: string
  /** Commit, or empty. */
  readonly revision: string
  /** Unique for this run; names the holder of a lease. */
  readonly run: string
  /** Where the sources are, such as `https://github.com/acme/todo`, or empty. */
  readonly source: string
  /** Who builds, as far as others may rely on it: the workflow on GitHub, else the command line. */
  readonly builder: string
  /** For repositories that a release is committed to, where git has no login of its own. */
  readonly gitToken?: string | undefined
  /** Where files of this run are kept, such as the evidence of a failure. */
  readonly folder?: string | undefined
  /** What to sign with. */
  readonly signing: SigningMaterial
  /** Between which branches layers are handed on. */
  readonly branches: Branches
}

/** Where the evidence of a failure is kept. */
export function evidenceFolder({ folder }: Caller): string | undefined {
  return folder === undefined ? undefined : join(folder, 'evidence')
}

/** One action, and the CLI command of the same name. */
export type Command<S extends InputSpecs = InputSpecs> = {
  readonly name: string
  readonly inputs: S
  // A method, not a property: a list may hold commands of different inputs.
  run(inputs: Inputs<S>, world: World, caller: Caller): Promise<CommandResult>
}

/** Exit statuses; `docs/exit-status.md` has the same table. */
export const STATUS = {
  good: 0,
  /** Bad input or refused: nothing was changed. */
  refused: 2,
  failed: 1,
  rolledBack: 3,
  rollbackFailed: 4,
  cancelled: 130,
} as const
