import { existsSync, rmSync } from 'node:fs'
import { BUILDER, removeBuilder } from './builder.ts'
import { removeCluster } from './cluster.ts'
import { attempt } from './command.ts'
import { composeConfig } from './compose.ts'
import { answers, ownHost, stopOwnEngine } from './engine.ts'
import { readManifest } from './gotools.ts'
import { takeLock } from './lock.ts'
import { releasedTools } from './online.ts'
import { places } from './places.ts'
import { removeRegistry } from './registry.ts'
import { findLab } from './state.ts'
import type { Lab } from './state.ts'

/** Removes everything the lab started: cluster, builder, registry, and the engine where it is the lab's own. */
export async function stopLab(options: {
  readonly purge: boolean
  readonly say: (line: string) => void
}): Promise<void> {
  const giveBack = await takeLock(places.lock, options.say)
  try {
    const lab = findLab()
    const host = lab?.dockerHost ?? ownHost
    const runs =
      host === ownHost
        ? await answers()
        : (await attempt(['docker', '--host', host, 'version'])).code === 0
    if (runs) await removeContainers(lab, host, options.say)
    if (lab?.ownEngine !== false) {
      options.say('ending the engine')
      await stopOwnEngine()
    }
    for (const name of ['cluster.json', 'builder.json', 'buildkitd.toml'])
      rmSync(`${places.lab}/${name}`, { force: true })
    for (const path of [places.state, places.kubeconfig, places.buildx, composeConfig])
      rmSync(path, { recursive: true, force: true })
    if (options.purge && existsSync(places.cache)) {
      options.say(`removing ${places.cache}`)
      rmSync(places.cache, { recursive: true, force: true })
    }
  } finally {
    giveBack()
  }
}

async function removeContainers(
  lab: Lab | undefined,
  host: string,
  say: (line: string) => void,
): Promise<void> {
  const find = (name: 'kind' | 'buildx'): Promise<string | undefined> =>
    lab?.way === 'online' ? releasedTools(name) : Promise.resolve(readManifest()[name]?.path)
  const [kind, buildx] = [await find('kind'), await find('buildx')]
  if (kind !== undefined) {
    say('removing the cluster')
    await removeCluster({ kind, host })
  }
  if (buildx !== undefined) {
    say(`removing the builder ${BUILDER}`)
    await removeBuilder(buildx, host)
  }
  say('removing the registry')
  await removeRegistry(host)
  // kind leaves its network; it is removed unless something else is on it.
  await attempt(['docker', '--host', host, 'network', 'rm', 'kind'])
}
