import type { Answer, Cluster } from '../../cluster/cluster.ts'
import { refuse } from '../../errors.ts'
import { at, textAt } from '../../json.ts'
import { type KubeObject, nameOf } from '../../render/manifest.ts'
import { needsOf } from '../../render/needs.ts'

/**
 * Secrets that workloads need and that neither the release nor an operator makes must be in the cluster already, with every key that is
 * asked for: without them pods would wait for ever, and nothing would say why. Throws with all that is missing.
 */
export async function requireProvided(
  objects: readonly KubeObject[],
  cluster: Cluster,
): Promise<void> {
  const problems = await missingProvided(objects, cluster)
  if (problems.length > 0) refuse(NOT_PROVIDED, problems)
}

export const NOT_PROVIDED = 'Secrets from outside of the release are missing, provide them before'

/** The same for those who have more to say before they refuse: nothing is thrown for what is missing. */
export async function missingProvided(
  objects: readonly KubeObject[],
  cluster: Cluster,
): Promise<readonly string[]> {
  const missing = new Map<string, string[]>()
  const asked = new Map<string, Promise<Answer>>()
  for (const object of objects) {
    const namespace = object.metadata.namespace ?? ''
    for (const { secret, keys } of needsOf(object)) {
      if (objects.some((other) => makes(other, secret, namespace))) continue
      const path = `/api/v1/namespaces/${namespace}/secrets/${secret}`
      const answer = asked.get(path) ?? cluster.call({ method: 'GET', path })
      asked.set(path, answer)
      const { status, body } = await answer
      const absent = keys.filter((key) => at(body, 'data', key) === undefined)
      const place = `Secret ${namespace}/${secret}`
      // Whoever may not read Secrets can't find out: the pods will tell.
      if (status === 404) note(missing, `${place} is not there`, object)
      else if (status === 200 && absent.length > 0)
        note(missing, `${place} has no ${absent.join(', ')}`, object)
    }
  }
  return [...missing].map(([what, names]) => `${what}; needed by ${names.join(', ')}`)
}

function note(missing: Map<string, string[]>, what: string, object: KubeObject): void {
  missing.set(what, [...(missing.get(what) ?? []), nameOf(object)])
}

/** The Secret itself, or an object of an operator that says by its own name or its target which Secret it makes. */
function makes(object: KubeObject, secret: string, namespace: string): boolean {
  const { name, namespace: place = '' } = object.metadata
  if (place !== namespace) return false
  if (object.kind === 'Secret') return name === secret
  const isOperators = object.apiVersion.includes('.') && !/(^|\.)k8s\.io\//.test(object.apiVersion)
  return isOperators && [name, targetOf(object)].includes(secret)
}

function targetOf(object: KubeObject): string | undefined {
  return textAt(object, 'spec', 'target', 'name') ?? textAt(object, 'spec', 'secretName')
}
