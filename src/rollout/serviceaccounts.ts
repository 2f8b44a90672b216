import { isObject } from '../json.ts'
import type { KubeObject } from '../render/manifest.ts'

const TEMPLATED = ['Deployment', 'StatefulSet', 'DaemonSet']

/**
 * The object with the service account of its pods named, also where that is the default one. The server keeps an old alias beside
 * `serviceAccountName`, which belongs to nobody and so stays when the name is taken away: pods would go on using the account before.
 */
export function withServiceAccount(object: KubeObject): KubeObject {
  if (!TEMPLATED.includes(object.kind)) return object
  const spec = partOf(object['spec'])
  const template = partOf(spec['template'])
  const pod = partOf(template['spec'])
  const named = { serviceAccountName: 'default', ...pod }
  return { ...object, spec: { ...spec, template: { ...template, spec: named } } }
}

function partOf(value: unknown): Readonly<Record<string, unknown>> {
  return isObject(value) ? value : {}
}
