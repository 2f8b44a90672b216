import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buildImages } from '../../src/build/buildimages.ts'
import type { Caller, Command } from '../../src/edge/command.ts'
import type { Inputs } from '../../src/edge/inputs.ts'
import { UserError } from '../../src/errors.ts'
import { readEnvironments } from '../../src/environments/environments.ts'
import { parseReference } from '../../src/registry/reference.ts'
import { readManifests } from '../../src/release/release.ts'
import { type Ignore, parseIgnores } from '../../src/scan/policy.ts'
import { cacheFolder } from '../../src/tools/install.ts'
import type { World } from '../../src/world.ts'
import { buildImagesInputs } from './inputs.ts'
import { reportBuild } from './report.ts'

type BuildInputs = Inputs<typeof buildImagesInputs>

export const buildImagesCommand: Command<typeof buildImagesInputs> = {
  name: 'build-images',
  inputs: buildImagesInputs,
  run: async (inputs, world, caller) => {
    const options = await readOptions(inputs, world, caller)
    const started = world.clock.now().getTime()
    const result = await buildImages(options, world)
    const seconds = (world.clock.now().getTime() - started) / 1000
    return reportBuild(result, { policy: options.policy, seconds })
  },
}

async function readOptions(inputs: BuildInputs, world: World, caller: Caller) {
  const registry = inputs.registry.replace(/\/+$/, '')
  parseReference(`${registry}/release`)
  const manifests = await readManifests(inputs.manifests)
  readEnvironments(manifests)
  return {
    file: inputs['bake-file'],
    folder: process.cwd(),
    targets: inputs.targets,
    registry,
    builder: inputs.builder,
    platforms: inputs.platforms,
    push: inputs.push,
    cache: inputs.cache === 'registry' ? { repository: `${registry}/cache` } : 'builder',
    policy: {
      threshold: inputs['severity-threshold'],
      ignores: await readIgnores(inputs.policy, world.clock.now()),
    },
    vulnerabilityDatabase: inputs['vulnerability-db'],
    manifests,
    revision: caller.revision,
    scanCache: join(cacheFolder(), 'scans'),
  } as const
}

async function readIgnores(file: string, now: Date): Promise<readonly Ignore[]> {
  if (file === '') return []
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new UserError(`The policy ${file} can't be read`, [], { cause: error })
  })
  return parseIgnores(text, file, now)
}
