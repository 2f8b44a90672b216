import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { generateKeyPairSync } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { at, listAt, parseJson, textAt } from '../../src/json.ts'
import { listReferrers, pullArtifact, pushArtifact } from '../../src/registry/artifact.ts'
import { openRepository, type Repository } from '../../src/registry/client.ts'
import { copyImage } from '../../src/registry/copy.ts'
import { parseReference } from '../../src/registry/reference.ts'
import { pullRelease } from '../../src/release/release.ts'
import {
  type Claim,
  PREDICATES,
  PUBLIC_KEY_FILE,
  publicKeyOf,
  verifyCommand,
} from '../../src/signing/howtoverify.ts'
import { openKeySigner, type Signer } from '../../src/signing/signer.ts'
import { demoRelease, lab, todoDeploy } from '../e2e/lab.ts'
import { type Distribution, startDistribution } from '../registry/distribution.ts'
import { type Running, startProgram } from '../registry/running.ts'
import { typeCommand } from './cosign.ts'
import { buildArguments, type Product, writeProduct } from './product.ts'

const BUNDLE = 'application/vnd.dev.sigstore.bundle.v0.3+json'
const CLAIMS = ['provenance', 'sbom', 'scan'] as const
const signal = AbortSignal.timeout(230_000)
const repositoryOf = (reference: string) => openRepository(parseReference(reference), signal)

let signer: Signer
/** A folder with the public key, as whoever verifies has it. */
let folder = ''

beforeAll(async () => {
  const file = lab.environment['TODO_DEPLOY_SIGNING_KEY_FILE'] ?? ''
  signer = openKeySigner(await readFile(file, 'utf8'))
  folder = await mkdtemp(join(tmpdir(), 'verify-'))
  await writeFile(join(folder, PUBLIC_KEY_FILE), publicKeyOf(signer.trust) ?? '')
})

afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})

/** What cosign makes of a claim about something, as the printed command asks it. */
async function verify(reference: string, claim: Claim) {
  return await typeCommand(verifyCommand(reference, claim, signer.trust), folder)
}

async function expectAccepted(reference: string, claim: Claim): Promise<void> {
  const { status, stdout, stderr } = await verify(reference, claim)
  expect({ reference, claim, status, stderr: status === 0 ? '' : stderr }).toEqual({
    ...{ reference, claim, status: 0, stderr: '' },
  })
  const types = stdout
    .trim()
    .split('\n')
    .map((line) => textAt(parseJson(line, 'an envelope'), 'payload') ?? '')
    .map((payload) => parseJson(Buffer.from(payload, 'base64').toString(), 'a statement'))
    .map((statement) => textAt(statement, 'predicateType'))
  expect(new Set(types)).toEqual(new Set([PREDICATES[claim]]))
}

describe('cosign, asked about the release that the demo carried, with the commands that we print,', () => {
  it('accepts what was signed about it and its images, by the fallback tag of the lab registry', async () => {
    const release = await pullRelease(await demoRelease(), signal)
    await expectAccepted(release.reference, 'release')
    for (const { reference } of Object.values(release.images.images))
      await expectAccepted(reference, 'provenance')
    const [first] = Object.values(release.images.images)
    for (const claim of CLAIMS) await expectAccepted(first?.reference ?? '', claim)
  })

  it.each(['oci', 'crane'])('accepts it by the referrers API of a registry (%s)', async (kind) => {
    const registry = await startProgram([process.env['REGISTRY_REFERRERS'] ?? '', kind])
    try {
      const release = await pullRelease(await demoRelease(), signal)
      const { reference, digest } = release.images.images['backend'] ?? {
        reference: '',
        digest: '',
      }
      const there = `${registry.registry}/todo/backend`
      await copyImage(digest, repositoryOf(reference), repositoryOf(there))
      for (const claim of CLAIMS) await expectAccepted(`${there}@${digest}`, claim)
    } finally {
      await registry.stop()
    }
  })
})

describe('cosign, asked about images of a run,', () => {
  let registry: Distribution
  let memory: Running
  let product: Product
  let report: unknown
  let log = ''
  let image = ''

  beforeAll(async () => {
    registry = await startDistribution('v3', 'open')
    memory = await startProgram([process.env['REGISTRY_REFERRERS'] ?? '', 'oci'])
    product = await writeProduct({ one: {} })
    const call = await todoDeploy(buildArguments(product, registry.registry))
    expect({ status: call.status, line: call.firstLine }).toEqual({ status: 0, line: '' })
    report = call.report
    log = call.stderr
    image = textAt(report, 'images', 'one', 'reference') ?? ''
  })

  afterAll(async () => {
    await registry.stop()
    await memory.stop()
    await product.remove()
  })

  /** The bundle with the provenance of the image, where the run put it. */
  async function provenance(): Promise<string> {
    const from = repositoryOf(image)
    for (const stored of await listReferrers(parseReference(image).digest ?? '', BUNDLE, from)) {
      const artifact = await pullArtifact(stored, from)
      const type = artifact?.annotations['dev.sigstore.bundle.predicateType']
      if (artifact !== undefined && type === PREDICATES.provenance)
        return artifact.content.toString()
    }
    throw new Error(`${image} has no provenance`)
  }

  /** Puts the image alone into a repository of another registry, and one bundle beside it, whatever that says. */
  async function imageWith(bundle: string, name: string): Promise<string> {
    const to = `${memory.registry}/todo/${name}`
    const manifest = await repositoryOf(image).getManifest(parseReference(image).digest ?? '')
    if (manifest === undefined) throw new Error(`${image} is gone`)
    await copyBytes(manifest.bytes, repositoryOf(image), repositoryOf(to))
    const { mediaType, digest, bytes } = manifest
    await repositoryOf(to).putManifest(digest, manifest)
    await pushArtifact(
      {
        ...{ type: BUNDLE, mediaType: BUNDLE, content: Buffer.from(bundle) },
        annotations: { 'dev.sigstore.bundle.predicateType': PREDICATES.provenance },
        subject: { mediaType, digest, size: bytes.length },
      },
      repositoryOf(to),
    )
    return `${to}@${digest}`
  }

  it('accepts each of them by the very command in the log and the report, with the key beside it', async () => {
    const key = textAt(report, 'verification', 'publicKey') ?? ''
    await writeFile(join(folder, PUBLIC_KEY_FILE), key)
    const commands = listAt(report, 'verification', 'commands')
    const told = /verify it with: (.*)$/m.exec(log)?.[1]
    expect(told).toBe(textAt(commands[0], 'command'))
    expect(commands.map((one) => textAt(one, 'claim')).sort()).toEqual([
      ...['provenance', 'release', 'sbom', 'scan'],
    ])
    for (const one of commands) {
      const { status, stderr } = await typeCommand(textAt(one, 'command') ?? '', folder)
      expect({ one, status, stderr: status === 0 ? '' : stderr }).toEqual({
        one,
        status: 0,
        stderr: '',
      })
    }
  })

  it('refuses all of them to whoever has another key', async () => {
    const other = await mkdtemp(join(tmpdir(), 'wrong-key-'))
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const pem = publicKey.export({ type: 'spki', format: 'pem' })
    await writeFile(join(other, PUBLIC_KEY_FILE), pem)
    for (const claim of CLAIMS) {
      const command = verifyCommand(image, claim, signer.trust)
      const { status, stderr } = await typeCommand(command, other)
      expect(status).not.toBe(0)
      expect(stderr).toContain('failed to verify signature')
    }
    await rm(other, { recursive: true })
  })

  it('refuses a statement of which one word was changed, and accepts it unchanged', async () => {
    const bundle = await provenance()
    await expectAccepted(await imageWith(bundle, 'unchanged'), 'provenance')
    const changed = parseJson(bundle, 'the bundle')
    const envelope = at(changed, 'dsseEnvelope') as Record<string, unknown>
    const payload = Buffer.from(String(envelope['payload']), 'base64').toString()
    expect(payload).toContain('"target":"one"')
    const lie = payload.replace('"target":"one"', '"target":"two"')
    envelope['payload'] = Buffer.from(lie).toString('base64')
    const { status, stderr } = await verify(
      await imageWith(JSON.stringify(changed), 'changed'),
      'provenance',
    )
    expect(status).not.toBe(0)
    expect(stderr).toContain('failed to verify signature')
  })

  it('refuses a statement of ours that is about another image', async () => {
    const subjects = [{ name: 'another', digest: `sha256:${'0'.repeat(64)}` }]
    const about = { subjects, predicateType: PREDICATES.provenance, predicate: {} }
    const { status } = await verify(
      await imageWith(await signer.sign(about), 'another'),
      'provenance',
    )
    expect(status).not.toBe(0)
  })
})

async function copyBytes(manifest: Buffer, from: Repository, to: Repository): Promise<void> {
  const parsed = parseJson(manifest.toString(), 'a manifest')
  for (const part of [at(parsed, 'config'), ...listAt(parsed, 'layers')]) {
    const digest = textAt(part, 'digest') ?? ''
    const content = await from.getBlob(digest, 1024 * 1024)
    await to.putBlob({ digest, size: content.length, open: () => content })
  }
}
