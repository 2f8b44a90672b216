import { describe, expect, it } from '@jest/globals'
import { type Descriptor, descriptorOf } from './descriptor.ts'
import { sha256 } from './digest.ts'
import { OCI_INDEX, OCI_MANIFEST, readTree } from './manifest.ts'

const store = new Map<string, Buffer>()
const read = ({ digest }: Descriptor) => Promise.resolve(store.get(digest))

function add(mediaType: string, value: unknown): Descriptor {
  const bytes = Buffer.from(JSON.stringify(value))
  const digest = sha256(bytes)
  store.set(digest, bytes)
  return { mediaType, digest, size: bytes.length }
}

const blob = (text: string, mediaType = 'layer'): Descriptor => ({
  mediaType,
  digest: sha256(Buffer.from(text)),
  size: text.length,
})
const config = blob('config')

describe('what is below a manifest', () => {
  it('is each thing once, the root last', async () => {
    const image = add(OCI_MANIFEST, { config, layers: [blob('a'), blob('a'), blob('b')] })
    const index = add(OCI_INDEX, { manifests: [image, image] })
    const tree = await readTree(index, read)
    expect(tree?.manifests.map(({ descriptor }) => descriptor)).toEqual([image, index])
    expect(tree?.blobs).toEqual([config, blob('a'), blob('b')])
    expect(tree?.size).toBe(index.size + image.size + config.size + 2)
  })

  it('has no layers that only their makers hand out', async () => {
    const foreign = blob('w', 'application/vnd.oci.image.layer.nondistributable.v1.tar')
    const image = add(OCI_MANIFEST, { config, layers: [foreign] })
    expect((await readTree(image, read))?.blobs).toEqual([config])
  })

  it('is nothing where a manifest is missing', async () => {
    const index = add(OCI_INDEX, { manifests: [blob('gone', OCI_MANIFEST)] })
    expect(await readTree(index, read)).toBeUndefined()
  })

  it('is refused where it is deeper than any tool makes it', async () => {
    let root = add(OCI_MANIFEST, { config, layers: [] })
    for (let level = 0; level < 5; level += 1) root = add(OCI_INDEX, { manifests: [root] })
    await expect(readTree(root, read)).rejects.toThrow('it is deeper than 4 levels')
  })

  it('is refused where it is wider than any tool makes it', async () => {
    const layers = Array.from({ length: 10_001 }, (_, n) => blob(String(n)))
    await expect(readTree(add(OCI_MANIFEST, { config, layers }), read)).rejects.toThrow(
      'it has over 10000 blobs',
    )
  })

  it('is refused where a configuration is larger than anybody reads', async () => {
    const image = add(OCI_MANIFEST, { config: { ...config, size: 9 * 1024 * 1024 }, layers: [] })
    await expect(readTree(image, read)).rejects.toThrow('the limit is 8388608')
  })
})

describe('a descriptor', () => {
  it.each([
    { name: 'a size', change: { size: undefined }, why: 'lacks its mediaType, digest or size' },
    { name: 'whole bytes', change: { size: 1.5 }, why: 'has the size 1.5, which is none' },
    { name: 'bytes at all', change: { size: -1 }, why: 'has the size -1, which is none' },
    {
      name: 'a digest',
      change: { digest: 'sha256:../../x' },
      why: 'not of sha256: "sha256:../../x"',
    },
    { name: 'our digest', change: { digest: `sha512:${'a'.repeat(128)}` }, why: 'not of sha256' },
  ])('without $name is refused', ({ change, why }) => {
    expect(() => descriptorOf({ ...config, ...change })).toThrow(why)
  })
})
