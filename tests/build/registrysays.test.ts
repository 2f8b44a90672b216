import { afterEach, describe, expect, it } from '@jest/globals'
import { type Call, todoDeploy } from '../e2e/lab.ts'
import { honest, type Hostile, manifestsIn, openHostile, stopAll } from '../registry/hostile.ts'
import { buildArguments, type Product, writeProduct } from './product.ts'

let product: Product | undefined

afterEach(async () => {
  await stopAll()
  await product?.remove()
})

async function build(to: Hostile): Promise<Call> {
  product = await writeProduct({ one: {} })
  return await todoDeploy(buildArguments(product, to.registry))
}

/** Answers every request, or every one that writes, with one status. */
function answering(
  status: number,
  from: 'the first request' | 'the first write',
): Promise<Hostile> {
  return openHostile((request, response) => {
    const isWrite = request.method !== 'GET' && request.method !== 'HEAD'
    if (from === 'the first write' && !isWrite) {
      honest(request, response)
      return
    }
    response.writeHead(status).end()
  })
}

const READ = String.raw`^reading 127\.0\.0\.1:\d+/todo/release: `
const WRITE = String.raw`^publishing to 127\.0\.0\.1:\d+/todo/(one|release): `

describe('a registry that refuses', () => {
  it.each([
    { status: 401, says: `${READ}it wants a login \\(401\\): run "docker login 127` },
    { status: 403, says: `${READ}without a login there is no permission for it \\(403\\)` },
    { status: 429, says: `${READ}too many requests \\(429\\); wait, then run again` },
    { status: 500, says: `${READ}the registry answered 500; its own log says why` },
  ])('with $status is named before anything is built', async ({ status, says }) => {
    const registry = await answering(status, 'the first request')
    const call = await build(registry)
    expect(call.firstLine).toMatch(new RegExp(says))
    expect(call.status).toBe(2)
    expect(call.stderr).not.toContain('▸ Build')
    expect(registry.seen.filter(({ method }) => method !== 'GET' && method !== 'HEAD')).toEqual([])
  })

  it.each([
    { status: 401, says: `${WRITE}it wants a login \\(401\\)` },
    { status: 403, says: `${WRITE}without a login there is no permission for it \\(403\\)` },
    {
      status: 404,
      says: `${WRITE}the registry knows no such repository \\(404\\); check the name`,
    },
    { status: 429, says: `${WRITE}too many requests \\(429\\)` },
    { status: 500, says: `${WRITE}the registry answered 500` },
  ])('the first upload with $status gets no manifest', async ({ status, says }) => {
    const registry = await answering(status, 'the first write')
    const call = await build(registry)
    expect(call.firstLine).toMatch(new RegExp(says))
    expect(call.status).toBe(2)
    expect(manifestsIn(registry.seen)).toEqual([])
  })
})
