import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from '@jest/globals'
import type { Repository } from '../../src/registry/client.ts'
import { pushLayout } from '../../src/registry/layout.ts'
import { HASTY, newRun } from './client.ts'
import { honest, manifestsIn, openHostile, sendForEver, stopAll } from './hostile.ts'
import { makeImage, MEGABYTE, newBlob } from './image.ts'

const SECRET = Buffer.from('ann:secret').toString('base64')

afterEach(stopAll)

describe('a login', () => {
  const askForLogin = (response: ServerResponse) =>
    response.writeHead(401, { 'www-authenticate': 'Basic realm="r"' }).end()

  async function openLoggedIn(registry: string): Promise<Repository> {
    const dockerConfig = await mkdtemp(join(tmpdir(), 'login-'))
    const config = JSON.stringify({ auths: { [registry]: { auth: SECRET } } })
    await writeFile(join(dockerConfig, 'config.json'), config)
    return newRun({ ...HASTY, dockerConfig }).open(registry, 'todo/backend')
  }

  it('does not follow a download to another host', async () => {
    const blob = newBlob(1000)
    const store = await openHostile((_, response) => response.end(blob.bytes))
    const { registry, seen } = await openHostile((request, response) => {
      if (request.headers.authorization === undefined) askForLogin(response)
      else response.writeHead(307, { location: `http://${store.registry}/store` }).end()
    })
    const there = await openLoggedIn(registry)
    expect(await there.getBlob(blob.digest, 1000)).toEqual(blob.bytes)
    expect(seen.at(-1)?.authorization).toBe(`Basic ${SECRET}`)
    expect(store.seen).toEqual([{ method: 'GET', path: '/store', authorization: undefined }])
  })

  it('is not given to another host that asks for one', async () => {
    const store = await openHostile((_, response) => askForLogin(response))
    const { registry } = await openHostile((request, response) => {
      if (request.headers.authorization === undefined) askForLogin(response)
      else response.writeHead(307, { location: `http://${store.registry}/store` }).end()
    })
    const there = await openLoggedIn(registry)
    await expect(there.getBlob(newBlob(1).digest, 1)).rejects.toThrow('(401)')
    expect(store.seen.map(({ authorization }) => authorization)).toEqual([undefined])
  })

  it('does not follow an upload to another host, whose word is not taken for it', async () => {
    const store = await openHostile((request, response) => {
      request.on('end', () => response.writeHead(201).end())
    })
    const { registry, seen } = await openHostile((request, response) => {
      if (request.headers.authorization === undefined) askForLogin(response)
      else if (request.method === 'POST')
        response.writeHead(202, { location: `http://${store.registry}/store` }).end()
      else honest(request, response)
    })
    const image = await makeImage()
    await expect(pushLayout(image, await openLoggedIn(registry))).rejects.toThrow(
      /was sent to 127\.0\.0\.1:\d+, as the registry wanted, and is not in the registry; refused/,
    )
    expect(store.seen.filter(({ authorization }) => authorization !== undefined)).toEqual([])
    expect(manifestsIn(seen)).toEqual([])
    await rm(image.folder, { recursive: true })
  })

  it('is not shown by a registry that repeats it', async () => {
    const { registry } = await openHostile((request, response) => {
      const { authorization } = request.headers
      if (authorization === undefined) askForLogin(response)
      else response.writeHead(403).end(`no, ${authorization}`)
    })
    const there = await openLoggedIn(registry)
    const error = await there.getManifest('v1').catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ details: ['The registry said: no, Basic ***'] })
  })

  it('is not given to an issuer of tokens that answers without end', async () => {
    const taken = { bytes: 0 }
    const issuer = await openHostile((_, response) => {
      sendForEver(response, taken)
    })
    const { registry } = await openHostile((_, response) => {
      const challenge = `Bearer realm="http://${issuer.registry}/token",service="r"`
      response.writeHead(401, { 'www-authenticate': challenge }).end()
    })
    const there = newRun(HASTY).open(registry, 'todo/backend')
    await expect(there.getManifest('v1')).rejects.toThrow('is larger than 65536 bytes; refused')
    expect(taken.bytes).toBeLessThan(32 * MEGABYTE)
  })
})
