import { UserError } from '../errors.ts'
import { listAt, textAt } from '../json.ts'
import type { Cluster } from './cluster.ts'

/** What charts ask about a cluster: its version, and what it serves (`apps/v1`). */
export async function readCapabilities(
  cluster: Cluster,
): Promise<{ readonly version: string; readonly apiVersions: readonly string[] }> {
  const [version, groups] = await Promise.all(
    ['/version', '/apis'].map((path) => cluster.call({ method: 'GET', path })),
  )
  const name = textAt(version?.body, 'gitVersion')
  if (name === undefined) throw new UserError('The cluster does not tell its version')
  const served = listAt(groups?.body, 'groups').flatMap((group) =>
    listAt(group, 'versions').flatMap((one) => textAt(one, 'groupVersion') ?? []),
  )
  return { version: name, apiVersions: ['v1', ...served] }
}
