import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { stringify } from 'yaml'
import { LOCK_FORMS, lockForms } from '../../src/release/lockforms.ts'
import { pullRelease } from '../../src/release/release.ts'
import type { Setting, Target } from './sides.ts'

/** The carried stack, as everything of it is found by each side. */
export type Stack = { readonly targetFor: (namespace: string) => Promise<Target> }

const WORKLOADS = ['frontend', 'backend', 'mcp-server', 'ai-agent', 'local-model'] as const
const TIMEOUT_S = 300

/** Lays a release out as a checkout has it: manifests, chart, and its images by digest in the forms that kustomize and Helm read. */
export async function layOut(release: string, setting: Setting): Promise<Stack> {
  const folder = join(setting.folder, 'stack')
  const { manifests, images } = await pullRelease(release, AbortSignal.timeout(60_000))
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
      await writeFile(join(overlay, 'kustomization.yaml'), stringify(kustomization))
      return {
        ...{ namespace, overlay, timeoutSeconds: TIMEOUT_S },
        inputs: { environment: 'dev', release },
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
