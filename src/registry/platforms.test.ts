import { describe, expect, it } from '@jest/globals'
import { platformImages } from './platforms.ts'

const INDEX = 'application/vnd.oci.image.index.v1+json'
const IMAGE = 'application/vnd.oci.image.manifest.v1+json'
const digestOf = (digit: string) => `sha256:${digit.repeat(64)}`
const bytesOf = (value: unknown) => Buffer.from(JSON.stringify(value))

function part(digit: string, platform: Readonly<Record<string, string>>) {
  return { mediaType: IMAGE, digest: digestOf(digit), size: 7, platform }
}

describe('the images of platforms', () => {
  it('are those of an index, in its order, and not what BuildKit says about them', () => {
    const bytes = bytesOf({
      manifests: [
        part('1', { os: 'linux', architecture: 'arm64', variant: 'v8' }),
        part('2', { os: 'linux', architecture: 'amd64' }),
        part('3', { os: 'unknown', architecture: 'unknown' }),
      ],
    })
    const found = platformImages({ digest: digestOf('0'), mediaType: INDEX, bytes })
    expect(found).toEqual([
      { platform: 'linux/arm64/v8', root: { mediaType: IMAGE, digest: digestOf('1'), size: 7 } },
      { platform: 'linux/amd64', root: { mediaType: IMAGE, digest: digestOf('2'), size: 7 } },
    ])
  })

  it('are refused where an index is in the index: nobody would look at what is in that', () => {
    const bytes = bytesOf({ manifests: [{ ...part('1', {}), mediaType: INDEX }] })
    const images = () => platformImages({ digest: digestOf('0'), mediaType: INDEX, bytes })
    expect(images).toThrow(/^The image sha256:0+ is refused: its index has another index in it/)
  })

  it('are the image itself, where it is no index', () => {
    const bytes = bytesOf({ layers: [] })
    const root = { mediaType: IMAGE, digest: digestOf('0'), size: bytes.length }
    expect(platformImages({ ...root, bytes })).toEqual([{ platform: '', root }])
  })
})
