import { utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { at } from '../../src/json.ts'
import { todoDeploy } from '../e2e/lab.ts'
import { type Distribution, startDistribution } from '../registry/distribution.ts'
import { buildArguments, type Product, writeProduct } from './product.ts'

let registry: Distribution
let product: Product
beforeAll(async () => {
  registry = await startDistribution('v3', 'open')
  product = await writeProduct({ one: { more: { 'no-cache': true } } })
})
afterAll(async () => {
  await product.remove()
  await registry.stop()
})

/** The digest of the image, built anew from files of that year. */
async function builtIn(year: number, ...how: readonly string[]): Promise<unknown> {
  const time = new Date(Date.UTC(year, 0))
  await utimes(join(product.folder, 'one', 'content'), time, time)
  // Without signatures nothing is used again.
  const args = buildArguments(product, registry.registry, '--signing', 'none', ...how)
  const call = await todoDeploy(args)
  expect([call.status, call.firstLine]).toEqual([0, ''])
  return at(call.report, 'images', 'one', 'digest')
}

it('makes the same digest of the same content where it is asked for, without any cache', async () => {
  const asked = ['--reproducible', 'true']
  expect(await builtIn(2021, ...asked)).toEqual(await builtIn(2022, ...asked))
  expect(await builtIn(2021)).not.toEqual(await builtIn(2022))
}, 240_000)
