import type { Cluster } from '../cluster/cluster.ts'
import { readState } from '../cluster/state.ts'

/** What kustomize puts behind the name of what it generates. */
const HASH = /^-[a-z0-9]{10}$/

/**
 * The name that a Secret of the manifests has in the cluster: with a hash, where the deployed release generates it; as it is, where it
 * comes from outside or from an operator.
 */
export async function deployedName(
  name: string,
  namespace: string,
  cluster: Cluster,
): Promise<string> {
  const state = await readState(namespace, cluster)
  const generated = (state?.good?.inventory ?? [])
    .filter(({ object }) => object.kind === 'Secret')
    .map(({ object }) => object.metadata.name)
    .find((found) => found.startsWith(name) && HASH.test(found.slice(name.length)))
  return generated ?? name
}
