import { prepareRelease, type Release, type ReleaseContent } from '../../src/release/release.ts'

/** A release in a registry, for tests of what reads one: no image is looked for, nothing is signed, no tag is written. */
export async function publishRelease(
  content: ReleaseContent,
  place: { readonly registry: string; readonly repository: string },
  signal: AbortSignal,
): Promise<Release> {
  const { release, appear } = await prepareRelease(content, place, signal)
  await appear(release.digest)
  return release
}
