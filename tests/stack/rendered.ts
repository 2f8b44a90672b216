import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Cluster } from '../../src/cluster/cluster.ts'
import {
  type Environment,
  findEnvironment,
  previewEnvironment,
  readEnvironments,
} from '../../src/environments/environments.ts'
import { sha256 } from '../../src/registry/client.ts'
import type { ImageSet } from '../../src/release/imageset.ts'
import { readManifests } from '../../src/release/release.ts'
import { renderEnvironment } from '../../src/render/render.ts'
import type { KubeObject } from '../../src/render/manifest.ts'
import { runProgram } from '../../src/tools/program.ts'
import { fakeWorld } from '../fakes/world.ts'
import { testPrograms } from '../programs.ts'

const IMAGES = ['frontend', 'backend', 'mcp-server', 'ai-agent', 'database', 'local-model']
const REMOVAL_MS = 120_000

/** Digests of nothing: for objects that are looked at or tried, never run. */
export const anyImages: ImageSet = {
  version: 1,
  images: Object.fromEntries(
    IMAGES.map((name) => {
      const digest = sha256(Buffer.from(name))
      return [name, { reference: `localhost:5001/todo/${name}@${digest}`, digest, size: 1 }]
    }),
  ),
}

/** The objects of an environment as `deploy` renders them from k8s/, with changes to the environment where a test wants some. */
export async function renderAs(
  name: string,
  change: Partial<Environment> = {},
  images = anyImages,
): Promise<readonly KubeObject[]> {
  const manifests = await readManifests('k8s')
  const environments = readEnvironments(manifests)
  const declared =
    name === 'preview'
      ? previewEnvironment(environments, 'pr-7')
      : findEnvironment(environments, name)
  const workspace = await mkdtemp(join(tmpdir(), 'rendered-'))
  try {
    const world = fakeWorld({ workspace, run: runProgram, tools: testPrograms.tool })
    return await renderEnvironment({ manifests, images }, { ...declared, ...change }, world)
  } finally {
    await rm(workspace, { recursive: true })
  }
}

/** Begins to remove a namespace; nobody has to wait for the end of it but who wants to make it again. */
export async function dropNamespace(name: string, cluster: Cluster): Promise<void> {
  await cluster.call({ method: 'DELETE', path: `/api/v1/namespaces/${name}` })
}

/** Removes a namespace that an earlier run may have left, and waits until it is gone. */
export async function clearNamespace(name: string, cluster: Cluster): Promise<void> {
  const path = `/api/v1/namespaces/${name}`
  await dropNamespace(name, cluster)
  const deadline = Date.now() + REMOVAL_MS
  while ((await cluster.call({ method: 'GET', path })).status !== 404) {
    if (Date.now() > deadline) throw new Error(`The namespace ${name} does not go away`)
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
}
