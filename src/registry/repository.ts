import type { Pieces } from './digest.ts'
import type { Manifest } from './manifest.ts'
import type { Call, Transport } from './transport.ts'
import type { Whereabouts } from './whereabouts.ts'

/** One blob of known digest and size (bytes). `open` gives its bytes from `start` on, as often as it is called. */
export type Blob = {
  readonly digest: string
  readonly size: number
  readonly open: (start: number) => Pieces
}

/** A manifest is stored. `subject` is set where the registry itself lists it with its subject (OCI-Subject). */
export type Stored = { readonly digest: string; readonly subject: string | undefined }

/** How a blob came to be in a repository. */
export type Put = 'written' | 'mounted' | 'present'

/**
 * A repository in a registry. Every answer is checked against the digest it was asked by. Every method throws `UserError`, whose first
 * line says what failed where, why, and what to do.
 */
export type Repository = {
  /** `registry/repository`. */
  readonly name: string
  getManifest: (reference: string) => Promise<Manifest | undefined>
  putManifest: (reference: string, manifest: Omit<Manifest, 'digest'>) => Promise<Stored>
  /** The bytes of a small blob. */
  getBlob: (digest: string, limit: number) => Promise<Buffer>
  /** The bytes of any blob, as they come. What takes them has all of them only if they are right. */
  readBlob: (blob: { readonly digest: string; readonly size: number }) => AsyncIterable<Uint8Array>
  putBlob: (blob: Blob) => Promise<Put>
  /** What speaks about a manifest, as the referrers API lists it; undefined where the registry has none. */
  getReferrers: (digest: string, type: string | undefined) => Promise<Listing | undefined>
  /** One piece of work at a time for a key, in this run. */
  inTurn: Whereabouts['inTurn']
  together: Whereabouts['together']
}

export type Listing = {
  readonly entries: readonly unknown[]
  /** The registry left out other types itself, so it knows them. */
  readonly filtered: boolean
}

/** A repository as the files of this folder pass it on. */
export type Opened = {
  readonly transport: Transport
  readonly whereabouts: Whereabouts
  readonly name: string
  readonly repository: string
  /** A call about this repository; `path` is below it. */
  readonly call: (doing: Call['doing'], method: Call['method'], path: string) => Call
}
