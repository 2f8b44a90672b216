import { mkdir, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { UserError } from '../errors.ts'
import { listReferrers, pullArtifact } from '../registry/artifact.ts'
import { openRepository, sha256 } from '../registry/client.ts'
import { platformImages } from '../registry/platforms.ts'
import { formatReference, parseReference } from '../registry/reference.ts'
import { pullRelease } from '../release/release.ts'
import { findingKey } from '../scan/findings.ts'
import { type Database, hasSbom, sbomPath, scanImage } from '../scan/scanner.ts'
import type { World } from '../world.ts'
import { SBOM_TYPE } from './publish.ts'

/**
 * What is known today about the images of a release: image → keys of its findings. Nothing is pulled but the SBOMs that were stored
 * with the images. Throws `UserError` where one is missing: without it every finding would count as new.
 */
export async function readBaseline(
  release: string,
  where: { readonly database: Database; readonly cacheFolder: string },
  world: World,
): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const { images } = await pullRelease(release, world.signal)
  const keys = new Map<string, ReadonlySet<string>>()
  for (const [name, { reference, digest }] of Object.entries(images.images)) {
    const { cacheFolder } = where
    const place = parseReference(reference)
    const manifest = await openRepository(place, world.signal).getManifest(digest)
    const found = new Set<string>()
    for (const { root } of manifest === undefined ? [] : platformImages(manifest)) {
      const one = formatReference({ ...place, digest: root.digest })
      if (!(await fetchSbom(one, { cacheFolder }, world))) throw lacksSbom(release, name)
      const target = { name, digest: root.digest, layout: undefined, cacheFolder }
      const { findings } = await scanImage(target, where.database, world)
      for (const finding of findings) found.add(findingKey(finding))
    }
    if (manifest === undefined) throw lacksSbom(release, name)
    keys.set(name, found)
  }
  return keys
}

function lacksSbom(release: string, name: string): UserError {
  return new UserError(
    `The baseline ${release} has no SBOM of ${name}; name a release that build-images has published, or leave baseline empty`,
  )
}

/**
 * Brings the SBOM of an image by digest into the cache folder; false where neither it nor the registry has one. `expected` is the
 * digest that a signed statement gave it: another one in the registry is none.
 */
export async function fetchSbom(
  reference: string,
  where: { readonly cacheFolder: string; readonly expected?: string },
  world: World,
): Promise<boolean> {
  const { cacheFolder, expected } = where
  const place = parseReference(reference)
  const digest = place.digest ?? ''
  if (await hasSbom(digest, cacheFolder)) return true
  const repository = openRepository(place, world.signal)
  for (const stored of await listReferrers(digest, SBOM_TYPE, repository)) {
    const artifact = await pullArtifact(stored, repository)
    if (artifact === undefined) continue
    if (expected !== undefined && sha256(artifact.content) !== expected) continue
    await keep(sbomPath(digest, cacheFolder), artifact.content)
    return true
  }
  return false
}

async function keep(file: string, content: Buffer): Promise<void> {
  await mkdir(dirname(file), { recursive: true })
  await writeFile(`${file}.part`, content)
  await rename(`${file}.part`, file)
}
