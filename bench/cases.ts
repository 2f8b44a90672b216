import { readdir, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { listAt, parseJson, textAt } from '../src/json.ts'
import { openRepository } from '../src/registry/client.ts'
import { pullLayout } from '../src/registry/layout.ts'
import { parseReference } from '../src/registry/reference.ts'
import type { ColdBuilder } from './builder.ts'
import { type Command, measure, type Sample, type Side } from './measure.ts'
import {
  baseEnvironment,
  grypeEnvironment,
  ourCommand,
  peerCommands,
  placeOf,
  type Setting,
} from './sides.ts'
import { IMAGES } from './workplace.ts'

/** One comparison. */
export type Case = {
  readonly name: string
  /** What both sides find, in a sentence. */
  readonly what: string
  readonly names: Readonly<Record<Side, string>>
  /** Ours may take so much of the peer's time. */
  readonly target: number
  /** Once, before the first round. */
  readonly prepare: () => Promise<void>
  /** Before the two sides of a round. */
  readonly change: () => Promise<void>
  readonly run: (side: Side) => Promise<Sample>
}

const WHOLE = { ours: 'build-images', peer: 'bake --push, then grype five times' }
const SCAN = { ours: 'scan of build-images', peer: 'grype five times' }

/** Builds from a runner that was just made: the builder is empty, so is our cache folder, and the registry has everything. */
export function buildCases(setting: Setting, cold: ColdBuilder): readonly Case[] {
  const { workplace } = setting
  const run = async (side: Side) => {
    await cold.chill()
    return await measure(side === 'ours' ? [await ourCommand(setting, {})] : peerCommands(setting))
  }
  const both = async () => {
    await run('peer')
    await run('ours')
  }
  const common = { names: WHOLE, run, prepare: () => Promise.resolve() }
  return [
    {
      ...common,
      name: 'nothing changed',
      what: 'the commit before had the same five images',
      target: 0.2,
      prepare: both,
      change: () => Promise.resolve(),
    },
    {
      ...common,
      name: 'one of five changed',
      what: 'a source file of one service has another line',
      target: 0.5,
      change: () => workplace.touch(['backend']),
    },
    {
      ...common,
      name: 'everything changed',
      what: 'a source file of each of the five has another line',
      target: 1.05,
      change: () => workplace.touch(IMAGES),
    },
  ]
}

/** Scans of the five images, whose bytes both sides have on this machine. */
export async function scanCases(setting: Setting): Promise<readonly Case[]> {
  const { lab, workplace, tools } = setting
  const layouts = await workplace.empty('layouts')
  const cache = join(await workplace.empty('scans'), 'known')
  const env = { ...baseEnvironment(lab), ...grypeEnvironment(lab) }
  const cwd = workplace.folder
  const peer = IMAGES.map((image): Command => ({
    argv: [tools.grype, `oci-dir:${join(layouts, image)}`, '-q', '-o', 'json'],
    cwd,
    env,
  }))
  const program = resolve('bench/scanning.ts')
  const ours = (): Command => ({
    argv: [process.execPath, program, layouts, cache, lab.vulnerabilityDatabase],
    cwd,
    env,
  })
  const nothing = () => Promise.resolve()
  return [
    {
      name: 'scan of five images',
      what: 'the vulnerability data is warm, no image was scanned before',
      names: SCAN,
      target: 0.7,
      prepare: () => fetchImages(setting, layouts),
      change: nothing,
      run: async (side) => {
        await rm(cache, { recursive: true, force: true })
        return await measure(side === 'ours' ? [ours()] : peer)
      },
    },
    {
      name: 'scan again from stored SBOMs',
      what: 'the vulnerability data is new, the SBOMs are there',
      names: SCAN,
      target: 0.3,
      prepare: async () => {
        await measure([ours()])
      },
      change: nothing,
      run: async (side) => {
        await forgetMatches(cache)
        return await measure(side === 'ours' ? [ours()] : peer)
      },
    },
  ]
}

async function forgetMatches(cache: string): Promise<void> {
  for (const image of await readdir(cache))
    for (const file of await readdir(join(cache, image)))
      if (file.startsWith('grype-')) await rm(join(cache, image, file))
}

/** The five images as the action has published them last. */
async function fetchImages(setting: Setting, folder: string): Promise<void> {
  const signal = AbortSignal.timeout(300_000)
  for (const image of IMAGES) {
    const repository = openRepository(
      parseReference(`${placeOf(setting.lab, 'ours')}/${image}`),
      signal,
    )
    const newest = await repository.getManifest('newest')
    if (newest === undefined) throw new Error(`${repository.name} has no newest image`)
    const children = listAt(parseJson(newest.bytes.toString(), image), 'manifests')
    const digest = textAt(children[0], 'digest') ?? newest.digest
    await pullLayout(digest, repository, join(folder, image))
  }
}
