import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { UserError } from '../errors.ts'
import { textAt } from '../json.ts'
import { openRepository } from '../registry/client.ts'
import { formatReference, parseReference } from '../registry/reference.ts'
import { putReferrer } from '../registry/referrers.ts'
import type { ImageSet } from '../release/imageset.ts'
import type { Release } from '../release/release.ts'
import type { Finding } from '../scan/findings.ts'
import { scannerEnvironment } from '../scan/environment.ts'
import { type Database, type Sbom, type Scan, spdxPath } from '../scan/scanner.ts'
import { attach, readAttestations, storeSigned } from '../signing/attestation.ts'
import { PREDICATES } from '../signing/howtoverify.ts'
import type { Signer } from '../signing/signer.ts'
import { type Statement, type Subject, WrittenPredicate } from '../signing/statement.ts'
import type { World } from '../world.ts'
import type { KeyOfTarget } from './inputkey.ts'
import { type BuildRun, provenanceOf } from './provenance.ts'
import type { StoredImage } from './publish.ts'

const SYFT_TIMEOUT_S = 300

/** What is signed about one image. */
export type Vouched = StoredImage & {
  readonly bakeFile: string
  readonly key: KeyOfTarget
  /** True where it was built in this run, and not used again. */
  readonly isNew: boolean
}

/**
 * Signs what is known about an image and stores it beside its digest: how it came to be and what is in it, once; what the scan found,
 * once for each vulnerability database.
 */
export async function vouchForImage(
  image: Vouched,
  by: { readonly signer: Signer; readonly run: BuildRun; readonly database: Database },
  world: World,
): Promise<void> {
  const { signer, run, database } = by
  const place = parseReference(image.reference)
  const repository = openRepository(place, world.signal)
  const about = { name: `${place.registry}/${place.repository}`, digest: image.subject.digest }
  const to = { subject: image.subject, repository, at: run.finished }
  await Promise.all([
    image.isNew ? tellOrigin({ ...image, about }, { signer, run, to }, world) : undefined,
    tellScan({ scan: image.scan, about }, { signer, run, database, to }),
  ])
}

type To = Parameters<typeof attach>[1]

/** How an image came to be, and what is in it. */
async function tellOrigin(
  image: Vouched & { readonly about: Subject },
  by: { readonly signer: Signer; readonly run: BuildRun; readonly to: To },
  world: World,
): Promise<void> {
  const { signer, run, to } = by
  const { repository } = to
  const sboms = await Promise.all(
    image.scan.sboms.map(async (sbom) => ({ ...sbom, sha256: await sha256OfFile(sbom.file) })),
  )
  const { about: subject, name: target, bakeFile } = image
  await Promise.all([
    attach(provenanceOf({ subject, target, bakeFile }, { key: image.key, sboms }, run), to, signer),
    // One at a time: all the SBOMs of a run would not fit into the memory that it may have.
    ...sboms.map((sbom) =>
      repository
        .inTurn('SBOM', async () =>
          storeSigned(await sbomStatement(subject, sbom, world), to, signer),
        )
        .then((manifest) => putReferrer(manifest, subject.digest, repository)),
    ),
  ])
}

async function tellScan(
  { about, scan }: { readonly about: Subject; readonly scan: Scan },
  by: {
    readonly signer: Signer
    readonly run: BuildRun
    readonly database: Database
    readonly to: To
  },
): Promise<void> {
  const { signer, run, database, to } = by
  const known = await readAttestations(about.digest, PREDICATES.scan, {
    trust: signer.trust,
    repository: to.repository,
  })
  if (!known.some(({ predicate }) => databaseIn(predicate) === database.checksum))
    await attach(scanStatement(about, scan, { database, run }), to, signer)
}

/** Signs that these images and these manifests belong together, and stores it beside the release. */
export async function vouchForRelease(
  release: Release,
  by: { readonly signer: Signer; readonly run: BuildRun },
  world: World,
): Promise<void> {
  const place = parseReference(release.reference)
  const repository = openRepository(place, world.signal)
  const known = await readAttestations(release.digest, PREDICATES.release, {
    trust: by.signer.trust,
    repository,
  })
  if (known.length > 0) return
  const images = Object.values(release.images.images).map(({ reference, digest }) => ({
    name: formatReference(parseReference(reference)).split('@')[0] ?? '',
    digest,
  }))
  const statement = {
    subjects: [
      { name: `${place.registry}/${place.repository}`, digest: release.digest },
      ...images,
    ],
    predicateType: PREDICATES.release,
    predicate: {
      release: release.reference,
      images: imagesByName(release.images),
      source: by.run.source,
      revision: release.revision,
      builder: by.run.builder,
      run: by.run.run,
    },
  }
  const to = { subject: release.descriptor, repository, at: by.run.finished }
  await attach(statement, to, by.signer)
}

function imagesByName(set: ImageSet): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(set.images).map(([name, { reference }]) => [name, reference]),
  )
}

/** It is about the image as people name it, and about its platform where it has several. */
async function sbomStatement(about: Subject, sbom: Sbom, world: World): Promise<Statement> {
  const written = await readFile(spdxPath(sbom.file), 'utf8').catch(() => undefined)
  // An SBOM that came out of the registry has no other form beside it yet.
  const predicate = new WrittenPredicate((written ?? (await convertSbom(sbom, world))).trim())
  const platform = { name: about.name, digest: sbom.digest }
  const subjects = sbom.digest === about.digest ? [about] : [about, platform]
  return { subjects, predicateType: PREDICATES.sbom, predicate }
}

async function convertSbom({ file, digest }: Sbom, world: World): Promise<string> {
  const syft = await world.tools('syft')
  const result = await world.run(
    {
      argv: [syft, 'convert', file, '-q', '-o', 'spdx-json'],
      env: scannerEnvironment(process.env),
      timeoutSeconds: SYFT_TIMEOUT_S,
    },
    world.signal,
  )
  if (result.status !== 0)
    throw new UserError(`syft could not write the SBOM of ${digest} as SPDX`, [result.stderr])
  return result.stdout
}

function scanStatement(
  subject: Subject,
  scan: Scan,
  by: { readonly database: Database; readonly run: BuildRun },
): Statement {
  const { database, run } = by
  const predicate = {
    scanner: {
      uri: 'https://github.com/anchore/grype',
      version: database.scanner,
      db: { version: database.checksum, lastUpdate: database.built },
      result: scan.findings.map(describeResult),
    },
    metadata: {
      scanStartedOn: run.started.toISOString(),
      scanFinishedOn: run.finished.toISOString(),
    },
  }
  return { subjects: [subject], predicateType: PREDICATES.scan, predicate }
}

function describeResult(finding: Finding): unknown {
  const { id, severity, score } = finding
  return {
    id,
    severity: [
      { method: 'grype', score: severity },
      ...(score === undefined ? [] : [{ method: 'CVSS', score: String(score) }]),
    ],
    annotations: [{ package: finding.purl || finding.package, fixedIn: finding.fixedIn }],
  }
}

function databaseIn(predicate: unknown): string | undefined {
  return textAt(predicate, 'scanner', 'db', 'version')
}

async function sha256OfFile(file: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(file), hash)
  return `sha256:${hash.digest('hex')}`
}
