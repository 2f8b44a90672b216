import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, it } from '@jest/globals'
import type { Repository } from '../../src/registry/client.ts'
import { gather } from '../../src/registry/digest.ts'
import { HASTY, newRun } from './client.ts'
import { type Answer, openHostile, sendDrops, stopAll } from './hostile.ts'
import { MEGABYTE, newBlob } from './image.ts'

const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
const OCI_INDEX = 'application/vnd.oci.image.index.v1+json'
const blob = newBlob(1000)

afterEach(stopAll)

const readAll = (there: Repository) => gather(there.readBlob(blob), MEGABYTE, 'the blob')
const readManifest = (there: Repository) => there.getManifest('v1')

const hostilities: readonly {
  name: string
  answer: Answer
  act: (there: Repository) => Promise<unknown>
  says: RegExp
}[] = [
  {
    name: 'cuts every blob short',
    answer: (_, response) => {
      response.writeHead(200, { 'content-length': '1000' }).write(blob.bytes.subarray(0, 10))
      setTimeout(() => response.destroy(), 20)
    },
    act: readAll,
    says: /cut the connection; run again/,
  },
  {
    name: 'ends every blob early, politely',
    answer: (_, response) => {
      response.write(blob.bytes.subarray(0, 10))
      response.end()
    },
    act: readAll,
    says: /ends after 10 of 1000 bytes; refused/,
  },
  {
    name: 'sends other bytes',
    answer: (_, response) => response.end(newBlob(1000).bytes),
    act: readAll,
    says: /has other bytes than its digest says \(sha256:[a-f0-9]{64}\); refused/,
  },
  {
    name: 'goes on after the end of a blob',
    answer: (_, response) => {
      response.write(blob.bytes)
      response.end('more')
    },
    act: readAll,
    says: /is longer than the 1000 bytes it should have; refused/,
  },
  {
    name: 'promises another length',
    answer: (_, response) => {
      response.writeHead(200, { 'content-length': '2000' }).flushHeaders()
    },
    act: readAll,
    says: /should have 1000 bytes, the registry has 2000; refused/,
  },
  {
    name: 'packs a blob',
    answer: (_, response) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(blob.bytes)),
    act: readAll,
    says: /came with the encoding gzip; refused/,
  },
  {
    name: 'gives another part than was asked for',
    answer: (_, response) =>
      response
        .writeHead(206, { 'content-range': 'bytes 500-999/1000' })
        .end(blob.bytes.subarray(500)),
    act: readAll,
    says: /from 0 on, got 500; refused/,
  },
  {
    name: 'redirects without end',
    answer: (request, response) =>
      response.writeHead(307, { location: `${request.url ?? ''}x` }).end(),
    act: readAll,
    says: /redirects without end \(more than 5 times\); refused/,
  },
  {
    name: 'leads to a file',
    answer: (_, response) => response.writeHead(307, { location: 'file:///etc/passwd' }).end(),
    act: readAll,
    says: /leads to an address that is not HTTP \(file:\); refused/,
  },
  {
    name: 'lets a blob drip',
    answer: (_, response) => {
      response.writeHead(200)
      sendDrops(response, 100)
    },
    act: readAll,
    says: /is too slow \(\d bytes in 700 ms\)/,
  },
  {
    name: 'never answers',
    answer: () => undefined,
    act: readManifest,
    says: /is too slow \(no answer in 700 ms\)/,
  },
  {
    name: 'lets a manifest drip',
    answer: (_, response) => {
      response.writeHead(200)
      sendDrops(response, 100)
    },
    act: readManifest,
    says: /is too slow \(\d bytes in 700 ms\)/,
  },
  {
    name: 'has a page for people in place of a manifest',
    answer: (_, response) =>
      response.writeHead(200, { 'content-type': 'text/html' }).end('<html>log in</html>'),
    act: readManifest,
    says: /a web page came instead of a manifest; check the address/,
  },
  {
    name: 'names another type than the manifest itself',
    answer: (_, response) =>
      response
        .writeHead(200, { 'content-type': OCI_INDEX })
        .end(JSON.stringify({ mediaType: OCI_MANIFEST })),
    act: readManifest,
    says: /says that it is .*manifest.*, the registry says .*index.*; refused/,
  },
  {
    name: 'has a manifest of two meanings',
    answer: (_, response) => response.end(JSON.stringify({ manifests: [], layers: [] })),
    act: readManifest,
    says: /is an image and an index at the same time; refused/,
  },
  {
    name: 'breaks for ever',
    answer: (_, response) => response.writeHead(500).end('\n::error::owned\n'),
    act: readManifest,
    says: /the registry answered 500; its own log says why/,
  },
  {
    name: 'asks for a login again and again',
    answer: (_, response) =>
      response
        .writeHead(401, { 'www-authenticate': 'Basic realm="a", Bearer realm="file:///"' })
        .end(),
    act: readManifest,
    says: /it wants a login \(401\)/,
  },
  {
    name: 'asks to wait for an hour',
    answer: (_, response) => response.writeHead(429, { 'retry-after': '3600' }).end(),
    act: readManifest,
    says: /too many requests \(429\)/,
  },
  {
    name: 'has headers without end',
    answer: (_, response) => {
      response.writeHead(200, { 'x-long': 'x'.repeat(100_000) }).end()
    },
    act: readManifest,
    says: /does not speak HTTP as it should/,
  },
  {
    name: 'lists without end what speaks about an image',
    answer: (request, response) =>
      response
        .writeHead(200, { 'content-type': OCI_INDEX, link: `<${request.url ?? ''}>; rel="next"` })
        .end('{"manifests":[]}'),
    act: (there) => there.getReferrers(blob.digest, undefined),
    says: /does not end; refused/,
  },
  {
    name: 'continues a list at another host',
    answer: (_, response) =>
      response
        .writeHead(200, { 'content-type': OCI_INDEX, link: '<http://127.0.0.1:1/x>; rel="next"' })
        .end('{"manifests":[]}'),
    act: (there) => there.getReferrers(blob.digest, undefined),
    says: /continues a list at 127\.0\.0\.1:1; refused/,
  },
]

describe('a registry that', () => {
  it.each(hostilities)('$name is refused in time', async ({ answer, act, says }) => {
    const { registry, seen } = await openHostile(answer)
    const there = newRun(HASTY).open(registry, 'todo/backend')
    const error = await act(there).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ name: 'UserError', message: expect.stringMatching(says) })
    const { details } = error as { readonly details: readonly string[] }
    expect(details.filter((line) => /^\s*::|\n/.test(line))).toEqual([])
    expect(seen.length).toBeLessThanOrEqual(100)
  })
})
