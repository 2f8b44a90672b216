import { sha256 } from '../registry/client.ts'

/** The branches between which layers are handed on, as git names them; an empty text where there is none. */
export type Branches = {
  /** The one that is built. */
  readonly own: string
  /** The one that a pull request wants to go into. */
  readonly base: string
  /** The one that everybody's work ends up on. */
  readonly main: string
  /** False where what is built is not accepted yet, as in a pull request: then nothing is written. */
  readonly mayWrite: boolean
}

/** What a layer cache is about. */
export type Cached = {
  readonly target: string
  /** Such as `linux/amd64`. */
  readonly platform: string
  readonly branch: string
}

/** A tag may have 128 characters; the last ones tell apart what looks the same. */
const READABLE = 128 - 1 - 16
const DIGITS = 16

/**
 * The tag of a cache: readable, and another one for every target, platform and branch. Characters that a tag can't have become
 * dashes, and long names are cut; what tells two of them apart then is the digest at the end.
 */
export function cacheTag({ target, platform, branch }: Cached): string {
  const readable = [target, platform, branch]
    .map((part) => part.replace(/[^A-Za-z0-9_.]+/g, '-'))
    .join('-')
    .replace(/^[^A-Za-z0-9_]+/, '')
    .slice(0, READABLE)
  const digest = sha256(Buffer.from(JSON.stringify([target, platform, branch])))
  return `${readable}-${digest.slice('sha256:'.length).slice(0, DIGITS)}`
}

/** Where layers are looked for, nearest first: the branch itself, the one it goes into, the main one. */
export function readableBranches({ own, base, main }: Branches): readonly string[] {
  return [...new Set([own, base, main].filter((branch) => branch !== ''))]
}

/** The branch under which layers are kept, or undefined where this run keeps none. */
export function writableBranch({ own, mayWrite }: Branches): string | undefined {
  return mayWrite && own !== '' ? own : undefined
}
