import { mkdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { openRepository, type Repository } from '../registry/client.ts'
import { storedTree } from '../registry/layout.ts'
import { parseReference } from '../registry/reference.ts'
import { saveFile } from '../registry/save.ts'
import { doAtOnce } from '../registry/several.ts'
import type { World } from '../world.ts'
import { isNewBuilder } from './builder.ts'
import { NEWEST_TAG } from './reuse.ts'

/** Bytes: what is smaller is sent as fast as it is asked for. */
const WORTH_FETCHING = 1024 * 1024

/**
 * Fetches the layers that images had when they were published last into `store`, the blobs of the layouts that a build writes: most of
 * those that it makes are the same, and what is there the builder does not send. It would come through the pipe of the engine, which is
 * several times the work. Only for a builder that has just been made: one that has the layers already would have them fetched for
 * nothing. What is not there in time, or not to be had, the builder sends all the same. Throws only what a registry answers.
 */
export async function fetchEarlierLayers(
  names: readonly string[],
  where: { readonly registry: string; readonly builder: string; readonly store: string },
  world: World,
): Promise<void> {
  if (!(await isNewBuilder(where.builder, world))) return
  const wanted = new Map<string, { readonly size: number; readonly repository: Repository }>()
  await doAtOnce(names, async (name) => {
    const repository = openRepository(parseReference(`${where.registry}/${name}`), world.signal)
    const newest = await repository.getManifest(NEWEST_TAG)
    const stored = newest && (await storedTree(newest.digest, repository))
    for (const { digest, size } of stored?.tree.blobs ?? [])
      if (size >= WORTH_FETCHING) wanted.set(digest, { size, repository })
  })
  const largestFirst = [...wanted].toSorted(([, a], [, b]) => b.size - a.size)
  await doAtOnce(largestFirst, async ([digest, { size, repository }]) => {
    const [algorithm = '', hex = ''] = digest.split(':')
    await mkdir(join(where.store, algorithm), { recursive: true })
    const file = join(where.store, algorithm, hex)
    const isThere = await stat(file).then(
      () => true,
      () => false, // The normal case.
    )
    if (!isThere) await saveFile(file, repository.readBlob({ digest, size }))
  })
}
