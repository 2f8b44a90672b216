import {
  bootstrapDebian,
  debianImage,
  fetchNode,
  hasDebianRoot,
  hasNode,
  importDebian,
  publishBase,
} from './baseimages.ts'
import type { BaseImage } from './baseimages.ts'
import { ensureBuilder } from './builder.ts'
import { ensureCluster } from './cluster.ts'
import { ensureOwnEngine } from './engine.ts'
import { findBuilt, readManifest, toolPath } from './gotools.ts'
import { buildImage } from './imagebuild.ts'
import { makeNodeImage, makeNodeRoot } from './nodeimage.ts'
import { optionalGoals, optionalModules, optionalSteps, toolSteps } from './optional.ts'
import { ensurePackages, ensureWatchLimits } from './packages.ts'
import { ensureRegistry } from './registry.ts'
import type { Step } from './schedule.ts'
import type { Setting } from './setting.ts'
import type { Part } from './state.ts'
import { newStep } from './step.ts'
import { moduleNames } from './toolset.ts'
import { ensureVulnerabilities } from './vulnerabilities.ts'

/** What has to be done for each part where only package registries can be reached. */
export const offlineGoals: Readonly<Record<Part, readonly string[]>> = {
  engine: ['engine'],
  registry: ['registry'],
  builder: ['builder', 'base-debian', 'base-python', 'base-node', 'base-postgres', 'base-nginx'],
  render: ['compile-cluster', 'compile-helm'],
  scan: ['compile-supply', 'vulnerabilities'],
  cluster: ['cluster'],
  ...optionalGoals,
}

const modules = moduleNames.filter((name) => !optionalModules.includes(name))

export async function offlineSteps(setting: Setting): Promise<Step[]> {
  const built = await findBuilt(moduleNames)
  return [
    ...modules.flatMap((name) => toolSteps(name, built.includes(name))),
    ...engineSteps(setting),
    ...imageSteps(setting),
    ...clusterSteps(setting),
    ...optionalSteps({
      ...setting,
      built,
      program: (name) => Promise.resolve(toolPath(name)),
    }),
  ]
}

function engineSteps({ host, ownEngine, say }: Setting): Step[] {
  return [
    newStep('packages', 'looking for Debian packages', {
      done: hasDebianRoot(),
      run: () => ensurePackages(ownEngine, say),
    }),
    newStep('engine', 'starting the Docker engine', {
      needs: ['packages', 'compile-own'],
      run: () => (ownEngine ? ensureOwnEngine(say) : Promise.resolve()),
    }),
    newStep('debian-root', 'making a small Debian', {
      done: hasDebianRoot(),
      needs: ['packages'],
      run: bootstrapDebian,
    }),
    newStep('debian', 'loading it into the engine', {
      needs: ['engine', 'debian-root'],
      run: async () => {
        await importDebian(host)
        await debianImage(host)
      },
    }),
  ]
}

function imageSteps({ host, wasReady }: Setting): Step[] {
  const done = wasReady.includes('builder')
  const base = (name: BaseImage, ...needs: string[]): Step =>
    newStep(`base-${name}`, `making the base image ${name}`, {
      done,
      needs: ['registry', ...needs],
      run: () => publishBase(name, host),
    })
  return [
    newStep('registry', 'starting the registry', {
      needs: ['debian'],
      run: async () =>
        ensureRegistry(
          await buildImage({ name: 'registry', base: await debianImage(host) }, host),
          host,
        ),
    }),
    newStep('node-packages', 'fetching Node', { done: hasNode(), uses: 'network', run: fetchNode }),
    base('debian'),
    base('python'),
    base('node', 'node-packages'),
    base('postgres'),
    base('nginx'),
    newStep('builder', 'starting the builder', {
      needs: ['debian', 'registry', 'compile-buildkit', 'compile-buildx'],
      run: async () => {
        const copies = {
          buildkitd: toolPath('buildkitd'),
          buildctl: toolPath('buildctl'),
          'lab-runtime': toolPath('runtime'),
        }
        const image = await buildImage(
          { name: 'buildkit', base: await debianImage(host), copies, key: JSON.stringify(copies) },
          host,
        )
        await ensureBuilder({ image, buildx: toolPath('buildx'), host, mirrored: true })
      },
    }),
    newStep('vulnerabilities', 'writing the fixture of advisories', {
      done: wasReady.includes('scan'),
      needs: ['compile-supply'],
      run: ensureVulnerabilities,
    }),
  ]
}

function clusterSteps({ host, say, wasReady, onNodeImage }: Setting): Step[] {
  const done = wasReady.includes('cluster')
  let image = ''
  return [
    newStep('node-root', "making the node's root", {
      done,
      needs: ['debian', 'fetch-cluster'],
      run: async () => {
        await makeNodeRoot(await debianImage(host), host)
      },
    }),
    newStep('node-image', "making the node's image", {
      done,
      needs: [
        'node-root',
        'registry',
        'compile-kubernetes',
        'compile-etcd',
        'compile-coredns',
        'compile-storage',
      ],
      run: async () => {
        image = await makeNodeImage(host)
        onNodeImage(image)
      },
    }),
    newStep('cluster', 'starting the cluster', {
      needs: ['node-image', 'compile-cluster'],
      run: async () => {
        await ensureWatchLimits(say)
        const { kind, kubectl } = readManifest()
        if (kind === undefined || kubectl === undefined)
          throw new TypeError('kind and kubectl are compiled before this')
        await ensureCluster(
          { kind: kind.path, kubectl: kubectl.path, image, host, way: 'offline' },
          say,
        )
      },
    }),
  ]
}
