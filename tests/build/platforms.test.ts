import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { SBOM_TYPE } from '../../src/build/publish.ts'
import { listAt, parseJson, textAt } from '../../src/json.ts'
import { listReferrers, pullArtifact } from '../../src/registry/artifact.ts'
import { openRepository } from '../../src/registry/client.ts'
import { parseReference } from '../../src/registry/reference.ts'
import { PUBLIC_KEY_FILE } from '../../src/signing/howtoverify.ts'
import { type Call, todoDeploy } from '../e2e/lab.ts'
import { type Distribution, startDistribution } from '../registry/distribution.ts'
import { typeCommand } from './cosign.ts'
import { buildArguments, type Product, writeProduct } from './product.ts'
import { publishedIn } from './published.ts'

const PLATFORMS = ['linux/amd64', 'linux/arm64'] as const
const DOCKERFILE = `FROM scratch
ARG TARGETARCH
COPY content /content
COPY \${TARGETARCH}.json /srv/node_modules/lodash/package.json
`

let registry: Distribution
let product: Product
beforeAll(async () => {
  registry = await startDistribution('v3', 'open')
  product = await writeProduct({ one: { dockerfile: DOCKERFILE } })
})
afterAll(async () => {
  await product.remove()
  await registry.stop()
})

/** Builds for both platforms on a runner that has just been made. */
async function build(lodash: { readonly amd64: string; readonly arm64: string }): Promise<Call> {
  for (const [architecture, version] of Object.entries(lodash)) {
    const content = JSON.stringify({ name: 'lodash', version, license: 'MIT' })
    await writeFile(join(product.folder, 'one', `${architecture}.json`), content)
  }
  const cache = await mkdtemp(join(tmpdir(), 'runner-'))
  const args = buildArguments(product, registry.registry, '--platforms', PLATFORMS.join(','))
  const call = await todoDeploy(args, { TODO_DEPLOY_CACHE: cache })
  await rm(cache, { recursive: true, force: true })
  return call
}

it('stops an image for a finding that one of its platforms has, and says which', async () => {
  const call = await build({ amd64: '4.17.21', arm64: '4.17.20' })
  expect(call.status).toBe(2)
  expect(call.firstLine).toMatch(/^The scan stopped the release: /)
  expect(call.stderr).toContain(
    'GHSA-35jh-r3h4-6jhm in lodash 4.17.20 for linux/arm64 (fixed in 4.17.21)',
  )
  expect((await publishedIn(registry)).repositories).toEqual([])
}, 120_000)

it('publishes an index with an SBOM for each platform, and uses it again', async () => {
  const call = await build({ amd64: '4.17.21', arm64: '4.17.22' })
  expect([call.status, call.firstLine]).toEqual([0, ''])
  const image = textAt(call.report, 'images', 'one', 'reference') ?? ''
  const { digest = '', ...place } = parseReference(image)
  const repository = openRepository(place, AbortSignal.timeout(60_000))
  const index = await repository.getManifest(digest)
  const images = listAt(parseJson(index?.bytes.toString() ?? '{}', image), 'manifests')
  const versions = await Promise.all(
    images.map(async (one) => {
      const [sbom = ''] = await listReferrers(textAt(one, 'digest') ?? '', SBOM_TYPE, repository)
      const { content } = (await pullArtifact(sbom, repository)) ?? {}
      const packages = listAt(parseJson(content?.toString() ?? '{}', sbom), 'artifacts')
      const platform = ['os', 'architecture'].map((part) => textAt(one, 'platform', part))
      return [platform.join('/'), packages.map((of) => textAt(of, 'version'))]
    }),
  )
  expect(Object.fromEntries(versions)).toEqual({
    'linux/amd64': ['4.17.21'],
    'linux/arm64': ['4.17.22'],
  })
  const again = await build({ amd64: '4.17.21', arm64: '4.17.22' })
  expect(textAt(again.report, 'why', 'one')).toBe('unchanged')
  expect(textAt(again.report, 'images', 'one', 'digest')).toBe(digest)
}, 240_000)

it('has both SBOMs in what cosign verifies about the index', async () => {
  const { report } = await build({ amd64: '4.17.21', arm64: '4.17.22' })
  const folder = join(product.folder, 'verify')
  await mkdir(folder)
  const key = textAt(report, 'verification', 'publicKey') ?? ''
  await writeFile(join(folder, PUBLIC_KEY_FILE), key)
  const command = listAt(report, 'verification', 'commands').find(
    (one) => textAt(one, 'claim') === 'sbom',
  )
  const { status, stdout, stderr } = await typeCommand(textAt(command, 'command') ?? '', folder)
  expect([status, stderr]).toEqual([0, expect.stringContaining('Verification for')])
  const payloads = stdout
    .trim()
    .split('\n')
    .map((line) => textAt(parseJson(line, 'an envelope'), 'payload') ?? '')
    .map((payload) => Buffer.from(payload, 'base64').toString())
  for (const version of ['4.17.21', '4.17.22'])
    expect(payloads.filter((one) => one.includes(version)).length).toBeGreaterThan(0)
}, 120_000)
