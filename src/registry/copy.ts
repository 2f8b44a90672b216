import { parseJson, textAt } from '../json.ts'
import type { Repository } from './client.ts'
import { slice } from './digest.ts'
import { UserError } from '../errors.ts'
import { storedTree } from './layout.ts'
import type { Tree } from './manifest.ts'
import { findReferrers, putReferrer } from './referrers.ts'
import { doAtOnce } from './several.ts'

/** Statements about statements are the most that tools make. */
const DEPTH = 3

/**
 * Copies an image or artifact by digest, with all that it is made of and all that speaks about any part of it. Blobs pass through, checked;
 * nothing is kept on this machine. The digest stays. Throws `UserError` where the source lacks a part.
 */
export async function copyImage(digest: string, from: Repository, to: Repository): Promise<void> {
  await copyTree(digest, { from, to }, 1)
}

type Way = { readonly from: Repository; readonly to: Repository }

async function copyTree(digest: string, way: Way, depth: number): Promise<void> {
  const { from, to } = way
  const found = await storedTree(digest, from)
  if (found === undefined)
    throw new UserError(`${from.name}@${digest} is not whole in the registry; nothing to copy`)
  await copyBlobs(found.tree, way)
  for (const { descriptor, bytes } of found.tree.manifests) {
    const { mediaType } = descriptor
    const subject = textAt(parseJson(bytes.toString(), descriptor.digest), 'subject', 'digest')
    if (subject === undefined) await to.putManifest(descriptor.digest, { mediaType, bytes })
    else await putReferrer({ mediaType, digest: descriptor.digest, bytes }, subject, to)
  }
  if (depth > DEPTH) return
  for (const { descriptor } of found.tree.manifests)
    for (const referrer of await findReferrers(descriptor.digest, undefined, from))
      await copyTree(referrer.digest, way, depth + 1)
}

async function copyBlobs({ blobs }: Tree, { from, to }: Way): Promise<void> {
  await doAtOnce(blobs, (blob) =>
    to.putBlob({
      ...blob,
      // From the beginning even where an upload goes on later: a part alone can't be checked.
      open: (start) => slice(from.readBlob(blob), start, Number.POSITIVE_INFINITY),
    }),
  )
}
