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
import { build, download, isBuilt, readManifest, toolPath } from './gotools.ts'
import { buildImage } from './imagebuild.ts'
import { makeNodeImage, makeNodeRoot } from './nodeimage.ts'
import { ensurePackages, ensureWatchLimits } from './packages.ts'
import { ensureRegistry } from './registry.ts'
import type { Step } from './schedule.ts'
import type { Part } from './state.ts'
import { newStep } from './step.ts'
import { moduleNames } from './toolset.ts'
import type { ModuleName } from './toolset.ts'
import { ensureVulnerabilities } from './vulnerabilities.ts'

export interface Setting {
  readonly host: string
  /** True when the engine is the lab's own. */
  readonly ownEngine: boolean
  readonly say: (line: string) => void
  /** Parts that were ready when the lab was last started. */
  readonly wasReady: readonly Part[]
  readonly onNodeImage: (image: string) => void
}

/** What has to be done for each part where only package registries can be reached. */
export const offlineGoals: Readonly<Record<Part, readonly string[]>> = {
  engine: ['engine'],
  registry: ['registry'],
  builder: ['builder', 'base-debian', 'base-python', 'base-node', 'base-postgres'],
  render: ['compile-cluster'],
  scan: ['compile-supply', 'vulnerabilities'],
  cluster: ['cluster'],
  workflows: ['compile-ci'],
}

export async function offlineSteps(setting: Setting): Promise<Step[]> {
  const built = await Promise.all(moduleNames.map((name) => isBuilt(name)))
  const tools = moduleNames.flatMap((name, at) => toolSteps(name, built[at] ?? false))
  return [...tools, ...engineSteps(setting), ...imageSteps(setting), ...clusterSteps(setting)]
}

const titles: Readonly<Record<ModuleName, string>> = {
  own: "the lab's own small programs",
  buildkit: 'BuildKit',
  buildx: 'buildx',
  kubernetes: 'Kubernetes',
  etcd: 'etcd',
  coredns: 'CoreDNS',
  storage: 'the provisioner of volumes',
  cluster: 'kind, kustomize and kubeconform',
  supply: 'syft and grype',
  ci: 'act and actionlint',
}

/** Compiling the programs of one Go module: what has no released binary that is pinned is made so online, too. */
export function toolSteps(name: ModuleName, done: boolean): Step[] {
  const urgent = name === 'kubernetes' || name === 'own'
  const fetch = `fetch-${name}`
  return [
    newStep(fetch, `fetching the source of ${titles[name]}`, {
      done,
      urgent,
      uses: 'network',
      run: () => download(name),
    }),
    newStep(`compile-${name}`, `compiling ${titles[name]}`, {
      done,
      urgent,
      needs: [fetch],
      uses: 'processors',
      run: () => build(name),
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
