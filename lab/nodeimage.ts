import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { debianImage } from './baseimages.ts'
import { run } from './command.ts'
import { LabError } from './failure.ts'
import { moduleSource, readManifest, toolPath } from './gotools.ts'
import { buildImage } from './imagebuild.ts'
import { source } from './places.ts'
import { REGISTRY, publishImage } from './registry.ts'

const STORAGE_IMAGE = 'localhost/todo-deploy/storage'

/** Makes the images that run on the node and publishes them, then the node's own; returns its reference. */
export async function makeNodeImage(host: string): Promise<string> {
  const debian = await debianImage(host)
  const names = await imageNames()
  const made = await makeNodeParts(debian, host)
  const lines: string[] = []
  for (const name of names) {
    const part = partOf(name)
    const image = made[part]
    const published = `lab/${image.slice(image.indexOf('/') + 1)}`
    await publishImage(image, published, host)
    lines.push(`${REGISTRY}/${published} ${name}`)
  }
  return buildNode(
    { debian, lines, pause: names.find((name) => partOf(name) === 'pause') ?? '' },
    host,
  )
}

type Part = 'control-plane' | 'etcd' | 'coredns' | 'pause' | 'storage'

/** Which of our images plays the one of that name. */
export function partOf(name: string): Part {
  const short = name.slice(name.lastIndexOf('/') + 1).split(':')[0]
  if (short === 'etcd' || short === 'coredns' || short === 'pause' || short === 'storage')
    return short
  if (short?.startsWith('kube-')) return 'control-plane'
  throw new LabError(`kubeadm asks for an image that the lab does not make: ${name}`)
}

async function imageNames(): Promise<string[]> {
  const { kubernetes, 'local-path-provisioner': storage } = readManifest()
  if (kubernetes === undefined || storage === undefined)
    throw new LabError('The programs of the node are not compiled yet.')
  const listed = await run([
    toolPath('kubeadm'),
    'config',
    'images',
    'list',
    '--kubernetes-version',
    kubernetes.version,
  ])
  return [...listed.trim().split('\n'), `${STORAGE_IMAGE}:${storage.version}`]
}

async function makeNodeParts(debian: string, host: string): Promise<Record<Part, string>> {
  const from = (program: string) => ({
    copies: { [program]: toolPath(program) },
    key: toolPath(program),
  })
  const [control, etcd, coredns, pause, storage] = await Promise.all([
    buildImage({ name: 'control-plane', base: debian, ...from('kubernetes') }, host),
    buildImage({ name: 'etcd', ...from('etcd') }, host),
    buildImage({ name: 'coredns', ...from('coredns') }, host),
    buildImage({ name: 'pause', ...from('pause') }, host),
    buildImage({ name: 'storage', base: debian, ...from('local-path-provisioner') }, host),
  ])
  return { 'control-plane': control, etcd, coredns, pause, storage }
}

interface NodeRecipe {
  readonly debian: string
  readonly lines: readonly string[]
  readonly pause: string
}

async function buildNode({ debian, lines, pause }: NodeRecipe, host: string): Promise<string> {
  const manifest = readManifest()
  const storage = readFileSync(
    join(source, 'images', 'kubernetes-node', 'default-storage.yaml'),
    'utf8',
  )
  const recipe = {
    name: 'kubernetes-node',
    base: await makeNodeRoot(debian, host),
    copies: { kubernetes: toolPath('kubernetes') },
    texts: {
      'images.txt': `${lines.join('\n')}\n`,
      'default-storage.yaml': storage.replaceAll(
        'STORAGE_VERSION',
        manifest['local-path-provisioner']?.version ?? '',
      ),
    },
    settings: { PAUSE_IMAGE: pause, KUBERNETES_VERSION: manifest['kubernetes']?.version ?? '' },
    key: toolPath('kubernetes'),
  }
  return buildImage(recipe, host)
}

/** The node without Kubernetes: it can be made while that is still being compiled. */
export async function makeNodeRoot(debian: string, host: string): Promise<string> {
  const kind = join(await moduleSource('cluster', 'sigs.k8s.io/kind'), 'images', 'base', 'files')
  const copies = { 'lab-runtime': toolPath('runtime'), kind }
  return buildImage(
    { name: 'node-root', base: debian, copies, key: `${toolPath('runtime')} ${kind}` },
    host,
  )
}
