import { gzipSync } from 'node:zlib'
import { describe, expect, it } from '@jest/globals'
import { type Header, pack } from 'tar-stream'
import { packFiles, unpackFiles } from './archive.ts'

const tree = [
  ['base/backend.yaml', Buffer.from('kind: Deployment')],
  ['environments.yaml', Buffer.from('application: todo')],
  [`${'deep/'.repeat(40)}file.yaml`, Buffer.alloc(0)],
] as const

async function tarOf(entry: { readonly name: string; readonly type?: Header['type'] }) {
  const archive = pack()
  const { name, type = 'file' } = entry
  archive.entry({ name, type, linkname: '/etc/passwd' }, type === 'file' ? 'x' : '')
  archive.finalize()
  const chunks: Buffer[] = []
  for await (const chunk of archive) chunks.push(chunk as Buffer)
  return gzipSync(Buffer.concat(chunks))
}

describe('an archive', () => {
  it('gives back every file, empty and deep ones too', async () => {
    const files = await unpackFiles(await packFiles(new Map(tree)))
    expect(new Map(files)).toEqual(new Map(tree))
  })

  it('has the same bytes whatever the order of its files', async () => {
    const packed = await packFiles(new Map(tree))
    expect(await packFiles(new Map([...tree].reverse()))).toEqual(packed)
  })

  it('says nothing of the time and the system it was made on', async () => {
    const header = (await packFiles(new Map(tree))).subarray(4, 10)
    const [time, best, unknownSystem] = [[0, 0, 0, 0], 2, 255]
    expect([...header]).toEqual([...time, best, unknownSystem])
  })

  it.each([
    { name: 'a symbolic link', entry: { name: 'a', type: 'symlink' } },
    { name: 'a hard link', entry: { name: 'a', type: 'link' } },
    { name: 'a device', entry: { name: 'a', type: 'character-device' } },
    { name: 'a path that starts at the root', entry: { name: '/etc/passwd' } },
    { name: 'a path that leaves the folder', entry: { name: 'base/../../x' } },
  ] as const)('is refused where it holds $name', async ({ entry }) => {
    await expect(unpackFiles(await tarOf(entry))).rejects.toThrow('which is refused')
  })

  it.each([
    { name: 'unpacks to more than a release may have', bytes: gzipSync(Buffer.alloc(65 << 20)) },
    { name: 'is cut short', bytes: gzipSync(Buffer.from('text')).subarray(0, 12) },
    { name: 'is no archive at all', bytes: Buffer.from('<html>') },
  ])('is refused in words where it $name', async ({ bytes }) => {
    await expect(unpackFiles(bytes)).rejects.toThrow("The release can't be unpacked")
  })
})
