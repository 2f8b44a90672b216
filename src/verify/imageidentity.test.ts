import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { fakeCluster } from '../../tests/fakes/cluster.ts'
import { digestOf, type FakeRegistry, openFakeRegistry } from '../../tests/fakes/registry.ts'
import { fakeWorld } from '../../tests/fakes/world.ts'
import { findEnvironment, readEnvironments } from '../environments/environments.ts'
import { OCI_INDEX, OCI_MANIFEST } from '../registry/manifest.ts'
import { imageIdentityCheck } from './imageidentity.ts'

const manifests = new Map([
  [
    'environments.yaml',
    Buffer.from('application: todo\nenvironments: { dev: { overlay: x, namespace: todo } }\n'),
  ],
])
const environment = findEnvironment(readEnvironments(manifests), 'dev')
const OURS = digestOf('the configuration of our image')
const ANOTHER = digestOf('the configuration of another image')

let registry: FakeRegistry
beforeAll(async () => {
  registry = await openFakeRegistry()
})
afterAll(async () => {
  await registry.close()
})

/** Puts content into the registry and returns its digest. */
function keep(mediaType: string, content: object): string {
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, ...content }))
  const digest = digestOf(bytes)
  registry.manifests.set(`todo/backend/${digest}`, { mediaType, bytes })
  return digest
}

function manifest(config: string, annotations = {}): string {
  return keep(OCI_MANIFEST, { config: { digest: config }, layers: [], annotations })
}

/** An index as builders make it: an image for each platform given, and its provenance. */
function index(platforms: Readonly<Record<string, string>>): string {
  const entries = Object.entries(platforms).map(([platform, digest]) => {
    const [os, architecture] = platform.split('/')
    return { mediaType: OCI_MANIFEST, digest, size: 1, platform: { os, architecture } }
  })
  return keep(OCI_INDEX, { manifests: entries })
}

/** What the check finds where a pod of the promised image has this `imageID`. `image` is what its specification says. */
async function look(imageID: string, promised = manifest(OURS), image?: string) {
  const place = `${registry.registry}/todo/backend`
  const reference = `${place}@${promised}`
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'backend-1', namespace: 'todo' },
    spec: { containers: [{ name: 'backend', image: image ?? reference }] },
    status: { phase: 'Running', containerStatuses: [{ name: 'backend', imageID }] },
  }
  const release = {
    ...{ reference, digest: promised, manifests, revision: '' },
    descriptor: { mediaType: OCI_MANIFEST, digest: promised, size: 1 },
    images: { version: 1, images: { backend: { reference, digest: promised, size: 1 } } },
  } as const
  const cluster = fakeCluster({ '/api/v1/namespaces/todo/pods/backend-1': pod })
  const context = { environment, release, plan: {}, cluster, world: fakeWorld() }
  const [finding] = await imageIdentityCheck.look(context as never)
  return `${finding?.status ?? 'nothing'}: ${finding?.detail ?? ''}`
}

const at = (digest: string) => `${registry.registry}/todo/backend@${digest}`

describe('a running container', () => {
  it('is right under the promised digest, and the registry is not asked', async () => {
    const before = registry.asked.length
    expect(await look(at(manifest(OURS)))).toBe(`pass: runs ${manifest(OURS)}`)
    expect(registry.asked).toHaveLength(before)
  })

  it('is right where the node stored the image under an index that holds it', async () => {
    const provenance = manifest(digestOf('provenance'))
    const stored = index({ 'linux/amd64': manifest(OURS), 'unknown/unknown': provenance })
    expect(await look(at(stored))).toBe(
      `pass: runs ${manifest(OURS)} (stored on the node under ${at(stored)})`,
    )
  })

  it('is right where an index was promised and the node has the image of its platform', async () => {
    const arm = manifest(ANOTHER)
    const promised = index({ 'linux/amd64': manifest(OURS), 'linux/arm64': arm })
    expect(await look(at(manifest(OURS)), promised)).toMatch(/^pass: /)
  })

  it('is right under another manifest of the same configuration, and under that alone', async () => {
    expect(await look(at(manifest(OURS, { made: 'elsewhere' })))).toMatch(/^pass: /)
    expect(await look(OURS)).toMatch(/^pass: /)
  })

  it.each([
    { name: 'another image', stored: () => manifest(ANOTHER) },
    { name: 'an index of other images', stored: () => index({ 'linux/amd64': manifest(ANOTHER) }) },
    {
      name: 'an index that holds the image beside the platforms only',
      stored: () => index({ 'linux/amd64': manifest(ANOTHER), 'unknown/unknown': manifest(OURS) }),
    },
    { name: 'a digest that the registry does not have', stored: () => digestOf('nothing') },
  ])('is wrong under $name', async ({ stored }) => {
    expect(await look(at(stored()))).toBe(
      `fail: runs ${at(stored())}, promised was ${manifest(OURS)}`,
    )
  })

  it('is wrong where it has not started, and where its image is none of the release', async () => {
    expect(await look('')).toBe(`fail: runs nothing, promised was ${manifest(OURS)}`)
    const stranger = `docker.io/library/busybox@${ANOTHER}`
    expect(await look(stranger, manifest(OURS), stranger)).toBe(
      `fail: ${stranger} is no image of the release`,
    )
  })
})
