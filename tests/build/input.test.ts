import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { type Call, todoDeploy } from '../e2e/lab.ts'
import { type Distribution, startDistribution } from '../registry/distribution.ts'
import { buildArguments, type Product, type TestImage, writeProduct } from './product.ts'
import { publishedIn } from './published.ts'

let registry: Distribution
let product: Product

beforeAll(async () => {
  registry = await startDistribution('v3', 'open')
})

afterEach(async () => {
  await product.remove()
})

afterAll(async () => {
  await registry.stop()
})

async function build(
  images: Readonly<Record<string, TestImage>>,
  more: (product: Product) => readonly string[] = () => [],
): Promise<Call> {
  product = await writeProduct(images)
  return await todoDeploy([...buildArguments(product, registry.registry), ...more(product)])
}

async function expectRefusal(call: Call, firstLine: RegExp): Promise<void> {
  expect(call.firstLine).toMatch(firstLine)
  expect(call.status).toBe(2)
  expect((await publishedIn(registry)).repositories).toEqual([])
}

describe('build-images refuses, before anything is published,', () => {
  it('a target that is not in the bake file', async () => {
    const call = await build({ one: {} }, () => ['--targets', 'nothing'])
    await expectRefusal(call, /^The bake file \S+ can't be used: .*nothing/)
  })

  it('a bake file that is not there', async () => {
    product = await writeProduct()
    const missing = { bakeFile: join(product.folder, 'no-such-bake.hcl') }
    const call = await todoDeploy(buildArguments(missing, registry.registry))
    await expectRefusal(call, /^The bake file \S*no-such-bake\.hcl can't be used: .*no such file/)
  })

  it('a registry whose name is no reference', async () => {
    const call = await build({ one: {} }, () => ['--registry', 'ghcr.io/Acme/Todo'])
    await expectRefusal(
      call,
      /^"ghcr\.io\/Acme\/Todo\/release" is not an image reference: the name may have lower-case/,
    )
  })

  it('targets that can not be the names of images, all at once, before it builds', async () => {
    const call = await build({ Api: {}, web__: {}, release: {} })
    await expectRefusal(
      call,
      /^The targets can't all be images: rename them in the bake file: 3 problems, nothing was ch/,
    )
    expect(call.stderr).toContain('todo/Api" is not an image reference')
    expect(call.stderr).toContain('release')
    expect(call.stderr).not.toContain('Build ')
  })

  it('a secret in an argument, by its name or by its value, without repeating it', async () => {
    const token = `ghp_${'s3cr3t'.repeat(6)}`
    const images = { one: { args: { NPM_TOKEN: 'swordfish' } }, two: { args: { EXTRA: token } } }
    const call = await build(images)
    await expectRefusal(call, /^Build arguments are visible in the image: pass these as build sec/)
    expect(call.stderr).toContain('one: NPM_TOKEN')
    expect(call.stderr).toContain('two: EXTRA holds a token of GitHub')
    expect(call.stdout + call.stderr + JSON.stringify(call.report)).not.toMatch(/s3cr3t|swordfish/)
  })

  it.each([
    { name: 'a word that it does not know', text: 'threshhold: high\n', says: /threshhold/ },
    {
      name: 'an exception whose day is over',
      text: 'ignore:\n  - id: CVE-2020-1\n    reason: not reached\n    owner: ann\n    expires: 2020-01-01\n',
      says: /policy\.yaml: .*expired on 2020-01-01/,
    },
  ])('a policy with $name', async ({ text, says }) => {
    product = await writeProduct({ one: {} })
    const file = join(product.folder, 'policy.yaml')
    await writeFile(file, text)
    const call = await todoDeploy([
      ...buildArguments(product, registry.registry),
      ...['--policy', file],
    ])
    await expectRefusal(call, says)
  })

  it('a program in a version that nobody pinned, without its sha256', async () => {
    const call = await build({ one: {} }, () => ['--tools', 'syft:99.0.0, trivy:1.0'])
    await expectRefusal(
      call,
      /^Wrong input: tools: "trivy:1\.0" names no program that is used here/,
    )
  })
})
