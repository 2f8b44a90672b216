import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { newRun } from './client.ts'
import { type Distribution, startDistribution } from './distribution.ts'
import { newBlob } from './image.ts'

/** A name that only the proxy knows. */
const NAME = 'registry.test'

describe('a registry behind a web proxy', () => {
  const asked: string[] = []
  let registry: Distribution
  const proxy = createServer()
  beforeAll(async () => {
    registry = await startDistribution('v3', 'tls')
    proxy.on('connect', (request, client) => {
      asked.push(request.url ?? '')
      const there = connect(Number(registry.registry.split(':')[1]), '127.0.0.1', () => {
        client.write('HTTP/1.1 200 OK\r\n\r\n')
        client.pipe(there).pipe(client)
      })
      for (const end of [client, there]) end.on('error', () => undefined)
    })
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  })
  afterAll(async () => {
    await registry.stop()
    proxy.close()
    proxy.closeAllConnections()
  })

  it('is reached as the environment says, and this machine without it', async () => {
    const address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
    const ca = registry.certificate?.authority ?? ''
    const schemes = { [registry.registry]: 'https' } as const
    const run = newRun({ ca, schemes, proxies: { HTTPS_PROXY: address } })
    const blob = newBlob(1000)
    expect(await run.open(NAME, 'todo/backend').putBlob(blob)).toBe('written')
    expect(new Set(asked)).toEqual(new Set([`${NAME}:443`]))
    asked.length = 0
    const direct = run.open(registry.registry, 'todo/backend')
    expect(await direct.getBlob(blob.digest, 1000)).toEqual(blob.bytes)
    expect(asked).toEqual([])
  })
})
