import { writeFile } from 'node:fs/promises'
import { pinnedTools } from '../src/tools/install.ts'
import pins from '../src/tools/pins.json' with { type: 'json' }
import { ensureBuilder } from './builder.ts'
import { ensureCluster } from './cluster.ts'
import { run } from './command.ts'
import { LabError } from './failure.ts'
import { optionalGoals, optionalSteps } from './optional.ts'
import { ensureRegistry } from './registry.ts'
import type { Setting } from './setting.ts'
import type { Step } from './schedule.ts'
import type { Part } from './state.ts'
import { newStep } from './step.ts'

const DOWNLOAD_SECONDS = 300
const PULL_SECONDS = 600

/** Released programs, by the pins of the project. */
export const releasedTools = pinnedTools({
  download: async (url, file) => {
    const answer = await fetch(url, { signal: AbortSignal.timeout(DOWNLOAD_SECONDS * 1000) })
    if (!answer.ok) throw new LabError(`${url} answers ${answer.status}`)
    await writeFile(file, Buffer.from(await answer.arrayBuffer()))
  },
  extract: async (archive, folder) => {
    await run(['tar', '--extract', '--file', archive, '--directory', folder])
  },
})

const released = [
  'buildx',
  'kind',
  'kubectl',
  'kustomize',
  'kubeconform',
  'helm',
  'syft',
  'grype',
] as const

export const onlineGoals: Readonly<Record<Part, readonly string[]>> = {
  engine: [],
  registry: ['registry'],
  builder: ['builder'],
  render: ['tool-kustomize', 'tool-kubeconform', 'tool-helm'],
  scan: ['tool-syft', 'tool-grype'],
  cluster: ['cluster'],
  ...optionalGoals,
  // kind's own network enforces policies.
  addons: ['addon-metrics'],
}

/** What has to be done where a Docker engine runs and public registries answer: official images, released programs. */
export function onlineSteps(setting: Setting): Step[] {
  const { host, say, onNodeImage } = setting
  const docker = ['docker', '--host', host]
  const pull = async (name: keyof typeof pins.images): Promise<string> => {
    const { tag, digest } = pins.images[name]
    const image = `docker.io/${name}:${tag}@${digest}`
    await run([...docker, 'pull', '--quiet', image], {
      timeoutSeconds: PULL_SECONDS,
      log: 'pull.log',
    })
    return image
  }
  return [
    ...released.map((name) =>
      newStep(`tool-${name}`, `fetching ${name}`, {
        uses: 'network',
        run: async () => {
          await releasedTools(name)
        },
      }),
    ),
    newStep('registry', 'starting the registry', {
      run: async () => ensureRegistry(await pull('library/registry'), host),
    }),
    newStep('builder', 'starting the builder', {
      needs: ['registry', 'tool-buildx'],
      run: async () =>
        ensureBuilder({
          image: await pull('moby/buildkit'),
          buildx: await releasedTools('buildx'),
          host,
          mirrored: false,
        }),
    }),
    newStep('node-image', "fetching the node's image", {
      run: async () => {
        onNodeImage(await pull('kindest/node'))
      },
    }),
    newStep('cluster', 'starting the cluster', {
      needs: ['registry', 'node-image', 'tool-kind', 'tool-kubectl'],
      run: async () => {
        const { tag, digest } = pins.images['kindest/node']
        const image = `docker.io/kindest/node:${tag}@${digest}`
        const [kind, kubectl] = await Promise.all([releasedTools('kind'), releasedTools('kubectl')])
        await ensureCluster({ kind, kubectl, image, host, way: 'online' }, say)
      },
    }),
    // Without a Go on this machine only these fail, and only where they are asked for.
    ...optionalSteps({ ...setting, built: [], program: releasedTools }),
  ]
}
