import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { listAt, parseJson, textAt } from '../../src/json.ts'
import { openRepository } from '../../src/registry/client.ts'
import { parseReference } from '../../src/registry/reference.ts'
import { pullRelease, RELEASE_TYPE } from '../../src/release/release.ts'
import type { Distribution } from '../registry/distribution.ts'

const LIMIT_MS = 30_000
const LARGEST_STATEMENT = 8 * 1024 * 1024

/** What of a run can be found in a registry by those who look for it. */
export type Published = {
  /** `repository:tag`; without the lists of statements, which have the digest of an image as their tag. */
  readonly tags: readonly string[]
  /** Digests of releases. */
  readonly releases: readonly string[]
  /** Every repository that has any blob. */
  readonly repositories: readonly string[]
}

/** Asks the registry for its tags, and looks on its own disk for releases, so that one without a tag is seen too. */
export async function publishedIn(registry: Distribution): Promise<Published> {
  const catalog = await ask(registry, '_catalog?n=1000')
  const repositories = listAt(catalog, 'repositories').map(String)
  const tags: string[] = []
  for (const repository of repositories) {
    const list = await ask(registry, `${repository}/tags/list`)
    tags.push(...listAt(list, 'tags').map((tag) => `${repository}:${String(tag)}`))
  }
  return {
    tags: tags.filter((tag) => !/:sha256-[0-9a-f]{64}$/.test(tag)),
    releases: await releasesIn(registry),
    repositories,
  }
}

export const NOTHING: Pick<Published, 'tags' | 'releases'> = { tags: [], releases: [] }

async function ask({ registry }: Distribution, path: string): Promise<unknown> {
  const answer = await fetch(`http://${registry}/v2/${path}`)
  return answer.status === 404 ? {} : await answer.json()
}

async function releasesIn({ registry, dockerConfig }: Distribution): Promise<readonly string[]> {
  const below = 'data/docker/registry/v2/repositories/todo/release/_manifests/revisions/sha256'
  const digests = await readdir(join(dockerConfig, below)).catch(() => []) // No such repository.
  const releases: string[] = []
  for (const hex of digests) {
    const place = { registry, repository: 'todo/release' }
    const found = await openRepository(place, AbortSignal.timeout(LIMIT_MS)).getManifest(
      `sha256:${hex}`,
    )
    const manifest = parseJson(found?.bytes.toString() ?? '{}', hex)
    if (textAt(manifest, 'artifactType') === RELEASE_TYPE) releases.push(`sha256:${hex}`)
  }
  return releases
}

/** Pulls a release and looks that everything it names is there: its images, their parts, and what is signed about each. */
export async function requireWhole(registry: Distribution, digest: string): Promise<void> {
  const signal = AbortSignal.timeout(LIMIT_MS)
  const release = await pullRelease(`${registry.registry}/todo/release@${digest}`, signal)
  for (const { reference, digest: image } of Object.values(release.images.images)) {
    // By whatever name a proxy gave it.
    const place = { registry: registry.registry, repository: parseReference(reference).repository }
    const repository = openRepository(place, signal)
    const manifest = parseJson(
      (await repository.getManifest(image))?.bytes.toString() ?? '{}',
      reference,
    )
    const parts = [textAt(manifest, 'config', 'digest')].concat(
      listAt(manifest, 'layers').map((layer) => textAt(layer, 'digest')),
    )
    for (const part of parts)
      if (part === undefined || !(await hasBlob(place, part)))
        throw new Error(`${reference} lacks ${part ?? 'its parts'}`)
  }
}

async function hasBlob(
  { registry, repository }: { readonly registry: string; readonly repository: string },
  digest: string,
): Promise<boolean> {
  const address = `http://${registry}/v2/${repository}/blobs/${digest}`
  return (await fetch(address, { method: 'HEAD' })).ok
}

/** The text of every statement that the registry keeps, decoded: what a thief of secrets would read. */
export async function allStatements({ dockerConfig }: Distribution): Promise<string> {
  const blobs = join(dockerConfig, 'data/docker/registry/v2/blobs/sha256')
  const texts: string[] = []
  for (const entry of await readdir(blobs, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name)
    // Layers are what the Dockerfile made of its secrets, which is not ours.
    if (!entry.isFile() || (await stat(file)).size > LARGEST_STATEMENT) continue
    const text = await readFile(file, 'utf8')
    texts.push(text)
    if (!text.includes('dsseEnvelope')) continue
    const payload = textAt(parseJson(text, entry.name), 'dsseEnvelope', 'payload') ?? ''
    texts.push(Buffer.from(payload, 'base64').toString())
  }
  return texts.join('\n')
}
