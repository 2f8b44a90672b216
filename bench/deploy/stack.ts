import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { toYaml } from '../../src/yaml.ts'
import { LOCK_FORMS, lockForms } from '../../src/release/lockforms.ts'
import { parseReference } from '../../src/registry/reference.ts'
import { prepareRelease, pullRelease, type Release } from '../../src/release/release.ts'
import type { Setting, Target } from './sides.ts'

/** A release of the carried stack, as everything of it is found by each side. */
export type Stack = { readonly targetFor: (namespace: string) => Promise<Target> }

/** Who has new pods in the next release. */
export const RENEWED = ['backend', 'mcp-server', 'ai-agent']
const DEVELOPMENT = [
  'overlays/development/kustomization.yaml',
  'helm/todo-app/values-development.yaml',
]

const WORKLOADS = ['frontend', 'backend', 'mcp-server', 'ai-agent', 'local-model'] as const
const TIMEOUT_S = 300

/** A release, and the next one: the same images, of which three services are told to log less. */
export async function layOut(
  reference: string,
  setting: Setting,
): Promise<{ readonly now: Stack; readonly next: Stack }> {
  const now = await pullRelease(reference, AbortSignal.timeout(60_000))
  const manifests = new Map(now.manifests)
  for (const file of DEVELOPMENT) {
    const text = now.manifests.get(file)?.toString() ?? ''
    const changed = text.replaceAll(/(LOG_LEVEL(?:=|: ))debug/g, '$1info')
    if (changed === text) throw new Error(`${file} says nothing about logging`)
    manifests.set(file, Buffer.from(changed))
  }
  const place = parseReference(reference)
  const { images, revision } = now
  const content = { images, manifests, revision }
  const next = await prepareRelease(content, place, AbortSignal.timeout(60_000))
  await next.appear(next.release.digest)
  return { now: await layOutOne(now, setting), next: await layOutOne(next.release, setting) }
}

/** Manifests, chart, and images by digest in the forms that kustomize and Helm read, as a checkout has it. */
async function layOutOne(release: Release, setting: Setting): Promise<Stack> {
  const { manifests, images } = release
  const folder = join(setting.folder, 'stack', release.digest.replace(':', '-'))
  const forms = Object.entries(lockForms(images)).map(
    ([name, text]) => [join(LOCK_FORMS, name), text] as const,
  )
  const files = [...manifests].map(([name, content]) => [join('k8s', name), content] as const)
  for (const [name, content] of [...files, ...forms]) {
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await writeFile(join(folder, name), content)
  }
  return {
    targetFor: async (namespace) => {
      const overlay = join(folder, 'own', namespace)
      await mkdir(overlay, { recursive: true })
      const kustomization = {
        ...{ apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization', namespace },
        resources: ['../../k8s/overlays/development'],
        components: [`../../${LOCK_FORMS}`],
      }
      await writeFile(join(overlay, 'kustomization.yaml'), toYaml(kustomization))
      return {
        ...{ namespace, overlay, timeoutSeconds: TIMEOUT_S },
        inputs: { environment: 'dev', release: release.reference },
        workloads: [...WORKLOADS.map((name) => `deployment/${name}`), 'statefulset/postgresql'],
        jobs: ['job/database-migrate'],
        chart: join(folder, 'k8s', 'helm', 'todo-app'),
        values: [
          join(folder, 'k8s', 'helm', 'todo-app', 'values-development.yaml'),
          join(folder, LOCK_FORMS, 'images.values.yaml'),
        ],
      }
    },
  }
}
