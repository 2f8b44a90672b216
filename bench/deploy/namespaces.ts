import { setTimeout as sleep } from 'node:timers/promises'
import type { Cluster } from '../../src/cluster/cluster.ts'

const GONE_MS = 300_000
const LOOK_AGAIN_MS = 500

/** Makes a namespace that was never there before, as strict as those of tests. */
export async function makeNamespace(
  name: string,
  cluster: Cluster,
  labels: Readonly<Record<string, string>> = {},
): Promise<void> {
  const body = { metadata: { name, labels } }
  const answer = await cluster.call({ method: 'POST', path: '/api/v1/namespaces', body })
  if (answer.status >= 300) throw new Error(`${name}: ${answer.text}`)
}

/** Deletes a namespace and all in it, pods without their grace, and waits until it is gone: what comes next finds a quiet cluster. */
export async function dropNamespaces(names: readonly string[], cluster: Cluster): Promise<void> {
  const ask = (method: 'GET' | 'DELETE', path: string) => cluster.call({ method, path })
  await Promise.all(
    names.map(async (name) => {
      const deadline = performance.now() + GONE_MS
      while ((await ask('GET', `/api/v1/namespaces/${name}`)).status !== 404) {
        if (performance.now() > deadline) throw new Error(`${name} does not go away`)
        // Each time: a server that has just been restarted may have refused it.
        await ask('DELETE', `/api/v1/namespaces/${name}`)
        await ask('DELETE', `/api/v1/namespaces/${name}/pods?gracePeriodSeconds=0`)
        await sleep(LOOK_AGAIN_MS)
      }
    }),
  )
}
