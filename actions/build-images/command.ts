import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { buildImages, type BuildOptions } from '../../src/build/buildimages.ts'
import type { CacheOptions } from '../../src/build/cache.ts'
import type { Caller, Command } from '../../src/edge/command.ts'
import { recordPast } from '../../src/edge/refused.ts'
import type { Inputs } from '../../src/edge/inputs.ts'
import { UserError } from '../../src/errors.ts'
import { readEnvironments } from '../../src/environments/environments.ts'
import { parseReference, requireDigest } from '../../src/registry/reference.ts'
import { readManifests } from '../../src/release/release.ts'
import { defaultPolicy, parsePolicy, type ScanPolicy } from '../../src/scan/policy.ts'
import { parseVex, type VexStatement } from '../../src/scan/vex.ts'
import { openSigner, type SigningKind } from '../../src/signing/open.ts'
import { cacheFolder } from '../../src/tools/install.ts'
import { parseWishes, withWishes } from '../../src/tools/wish.ts'
import type { World } from '../../src/world.ts'
import { buildImagesInputs } from './inputs.ts'
import { reportBuild, reportRefusal } from './report.ts'

type BuildInputs = Inputs<typeof buildImagesInputs>

export const buildImagesCommand: Command<typeof buildImagesInputs> = {
  name: 'build-images',
  inputs: buildImagesInputs,
  run: async (inputs, given, caller) => {
    const { world, past } = recordPast(given)
    try {
      const wishes = parseWishes(inputs.tools, ['syft', 'grype', 'buildx'])
      const options = await readOptions(inputs, world, caller)
      const tools = withWishes(world.tools, wishes)
      const result = await buildImages(options, { ...world, tools })
      const { policy, revision, signer } = options
      return reportBuild(result, { ...past(), policy, revision, trust: signer?.trust })
    } catch (error) {
      world.signal.throwIfAborted()
      return reportRefusal(error, past())
    }
  },
}

async function readOptions(
  inputs: BuildInputs,
  world: World,
  caller: Caller,
): Promise<BuildOptions> {
  const registry = inputs.registry.replace(/\/+$/, '')
  parseReference(`${registry}/release`)
  if (inputs.baseline !== '') requireDigest(inputs.baseline)
  const manifests = await readManifests(inputs.manifests)
  readEnvironments(manifests)
  const { policy, vex } = await readPolicy(inputs, world.clock.now())
  return {
    file: inputs['bake-file'],
    folder: process.cwd(),
    targets: inputs.targets,
    registry,
    builder: inputs.builder,
    platforms: inputs.platforms,
    reproducible: inputs.reproducible,
    push: inputs.push,
    cache: inputs.cache === 'none' ? 'none' : cacheOf(registry, inputs, caller),
    policy,
    vex,
    baseline: inputs.baseline,
    vulnerabilityDatabase: inputs['vulnerability-db'],
    manifests,
    revision: caller.revision,
    scanCache: join(cacheFolder(), 'scans'),
    signer: await openSigner(signingOf(inputs, caller), caller.signing),
    run: caller,
  }
}

/** A run that publishes nothing keeps no layers either. */
function cacheOf(registry: string, { push }: BuildInputs, { branches }: Caller): CacheOptions {
  const mayWrite = branches.mayWrite && push
  return { repository: `${registry}/cache`, branches: { ...branches, mayWrite } }
}

/** Where nothing is published, nothing has to be signed: then "auto" means what there is. */
function signingOf({ signing, push }: BuildInputs, { signing: material }: Caller): SigningKind {
  const hasMaterial = material.key !== undefined || material.workflow !== undefined
  return signing === 'auto' && !push && !hasMaterial ? 'none' : signing
}

async function readPolicy(
  inputs: BuildInputs,
  now: Date,
): Promise<{ readonly policy: ScanPolicy; readonly vex: readonly VexStatement[] }> {
  const { policy: file, 'severity-threshold': threshold, baseline } = inputs
  const written = file === '' ? defaultPolicy : parsePolicy(await readText(file), file, now)
  const vex: VexStatement[] = []
  for (const path of written.vex) {
    const document = join(dirname(file), path)
    vex.push(...parseVex(await readText(document), document))
  }
  if (written.onlyNew && baseline === '')
    throw new UserError(
      `${file} says only-new, and there is no baseline; give a release to compare with as baseline`,
    )
  return { policy: threshold === '' ? written : { ...written, threshold, images: {} }, vex }
}

async function readText(file: string): Promise<string> {
  return await readFile(file, 'utf8').catch((error: unknown) => {
    throw new UserError(`The policy ${file} can't be read`, [], { cause: error })
  })
}
