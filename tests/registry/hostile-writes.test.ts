import { rm } from 'node:fs/promises'
import { afterEach, describe, expect, it } from '@jest/globals'
import { pushArtifact } from '../../src/registry/artifact.ts'
import { pushLayout } from '../../src/registry/layout.ts'
import { HASTY, newRun } from './client.ts'
import { type Answer, honest, manifestsIn, openHostile, stopAll } from './hostile.ts'
import { makeImage, MEGABYTE, newBlob } from './image.ts'

afterEach(stopAll)

const but =
  (method: string, answer: Answer): Answer =>
  (request, response) => {
    const manifest = request.url?.includes('/manifests/') === true
    if (request.method === method && !manifest) answer(request, response)
    else honest(request, response)
  }

const hostilities: readonly { name: string; answer: Answer; says: RegExp }[] = [
  {
    name: 'does not say where to upload',
    answer: but('POST', (_, response) => response.writeHead(202).end()),
    says: /begins an upload and does not say where; refused/,
  },
  {
    name: 'leads an upload to something that is not HTTP',
    answer: but('POST', (_, response) =>
      response.writeHead(202, { location: 'ftp://127.0.0.1/x' }).end(),
    ),
    says: /leads to an address that is not HTTP \(ftp:\); refused/,
  },
  {
    name: 'redirects an upload',
    answer: but('PUT', (_, response) =>
      response.writeHead(307, { location: 'http://127.0.0.1:1/x' }).end(),
    ),
    says: /redirects what is published \(to 127\.0\.0\.1:1\); refused/,
  },
  {
    name: 'stores other bytes than it was sent',
    answer: but('PUT', (request, response) =>
      request.on('end', () =>
        response.writeHead(201, { 'docker-content-digest': `sha256:${'0'.repeat(64)}` }).end(),
      ),
    ),
    says: /was sent, the registry stored sha256:0{64}; refused/,
  },
  {
    name: 'never takes over a blob',
    answer: but('PUT', () => undefined),
    says: /is too slow \(no answer in 700 ms\)/,
  },
  {
    name: 'cuts every upload',
    answer: but('PUT', (request) => request.socket.destroy()),
    says: /cut the connection; run again/,
  },
  {
    name: 'breaks at every upload',
    answer: but('PUT', (_, response) => response.writeHead(500).end()),
    says: /publishing to .*: the registry answered 500/,
  },
  {
    name: 'wants to hear no more',
    answer: but('PUT', (_, response) => response.writeHead(429).end()),
    says: /too many requests \(429\)/,
  },
  {
    name: 'says that it got more than there is, then breaks',
    answer: (request, response) => {
      if (request.method === 'PUT') request.socket.destroy()
      else if (request.method === 'GET') response.writeHead(204, { range: '0-99999999' }).end()
      else honest(request, response)
    },
    says: /cut the connection; run again/,
  },
  {
    name: 'is only a mirror',
    answer: but('POST', (_, response) => response.writeHead(405).end()),
    says: /does not do this \(405\); it may be a mirror/,
  },
  {
    name: 'knows no such repository',
    answer: but('POST', (_, response) =>
      response.writeHead(404).end('{"errors":[{"code":"NAME_UNKNOWN","message":"no such name"}]}'),
    ),
    says: /the registry knows no such repository \(404\); check the name, or create it first/,
  },
]

describe('a registry that', () => {
  it.each(hostilities)('$name gets no manifest', async ({ answer, says }) => {
    const image = await makeImage()
    const { registry, seen } = await openHostile(answer)
    const there = newRun(HASTY).open(registry, 'todo/backend')
    await expect(pushLayout(image, there)).rejects.toThrow(says)
    expect(manifestsIn(seen)).toEqual([])
    expect(seen.length).toBeLessThanOrEqual(100)
    await rm(image.folder, { recursive: true })
  })

  it('stores another manifest than it was sent is refused', async () => {
    const { registry } = await openHostile((request, response) => {
      const manifest = request.method === 'PUT' && request.url?.includes('/manifests/') === true
      if (!manifest) honest(request, response)
      else response.writeHead(201, { 'docker-content-digest': `sha256:${'0'.repeat(64)}` }).end()
    })
    const artifact = { type: 't', mediaType: 'm', content: Buffer.from('x'), annotations: {} }
    const there = newRun(HASTY).open(registry, 'todo/backend')
    await expect(pushArtifact(artifact, there)).rejects.toThrow('the registry stored sha256:000')
  })

  it('takes no large bodies is sent small ones', async () => {
    const blob = newBlob(3 * MEGABYTE)
    let got = 0
    const { registry } = await openHostile((request, response) => {
      const size = Number(request.headers['content-length'] ?? '0')
      const place = { location: '/v2/todo/backend/upload/1' }
      if (request.method === 'HEAD') response.writeHead(404).end()
      else if (request.method === 'POST') response.writeHead(202, place).end()
      else if (size > MEGABYTE) response.writeHead(413).end()
      else if (request.method === 'PUT') response.writeHead(got === blob.size ? 201 : 400).end()
      else {
        expect(request.headers['content-range']).toBe(`${got}-${got + size - 1}`)
        got += size
        response.writeHead(202, place).end()
      }
    })
    const there = newRun().open(registry, 'todo/backend')
    expect(await there.putBlob(blob)).toBe('written')
    expect(got).toBe(blob.size)
  })
})

describe('a registry that lost its line', () => {
  it('and then changes its mind about how far it got, gets the rest from there', async () => {
    const blob = newBlob(3 * MEGABYTE)
    const told = [MEGABYTE, 2 * MEGABYTE]
    const sent: (string | undefined)[] = []
    const { registry } = await openHostile((request, response) => {
      const place = { location: '/v2/todo/backend/upload/1' }
      const whole = request.headers['content-length'] === String(blob.size)
      if (request.method === 'PUT' && whole) request.socket.destroy()
      else if (request.method === 'PUT') response.writeHead(201).end()
      else if (request.method === 'GET')
        response.writeHead(204, { ...place, range: `0-${(told.shift() ?? 0) - 1}` }).end()
      else if (request.method === 'PATCH') {
        sent.push(request.headers['content-range'])
        response.writeHead(sent.length === 1 ? 416 : 202, place).end()
      } else honest(request, response)
    })
    const there = newRun({ patience: { firstPauseMs: 5 } }).open(registry, 'todo/backend')
    expect(await there.putBlob(blob)).toBe('written')
    expect(sent).toEqual([`${MEGABYTE}-${blob.size - 1}`, `${2 * MEGABYTE}-${blob.size - 1}`])
  })
})
